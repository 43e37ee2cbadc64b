/* look.c - see look.h. */
#include "look.h"

#include <stdlib.h>
#include <string.h>

void look(struct look *l, struct box_fixture *f)
{
	struct td_error e;
	size_t n;
	FILE *out;

	fx_seal(f);
	if (td_source_memory(&l->src, f->mem, f->size, &e) ||
	    td_session_load(&l->s, &l->src, NULL, &e))
		fail_msg("%s", e.text);
	td_analyse(&l->a, &l->s.model);
	out = open_memstream(&l->text, &n);
	l->status = td_explain(&l->a, out, false, NULL);
	fclose(out);
	assert_int_equal(l->status, l->a.n || l->s.model.crashed);
	out = open_memstream(&l->json, &n);
	assert_int_equal(td_explain_json(&l->a, out), l->status);
	fclose(out);
}

void done(struct look *l, struct box_fixture *f)
{
	td_analysis_free(&l->a);
	td_session_free(&l->s);
	td_source_close(&l->src);
	free(l->text);
	free(l->json);
	fx_close(f);
}

void expect(struct look *l, uint32_t kind, uint32_t reason, uint32_t nstuck)
{
	if (!l->a.n)
		fail_msg("healthy: %s", l->text);
	if (l->a.v[0].kind != kind || l->a.v[0].reason != reason || l->a.v[0].nstuck != nstuck)
		fail_msg("verdict %u reason %u stuck %u: %s", l->a.v[0].kind, l->a.v[0].reason,
			 l->a.v[0].nstuck, l->text);
}

void says(struct look *l, const char *text)
{
	if (!strstr(l->text, text))
		fail_msg("'%s' is not in:\n%s", text, l->text);
}

void says_not(struct look *l, const char *text)
{
	if (strstr(l->text, text))
		fail_msg("'%s' is in:\n%s", text, l->text);
}

void hangs(struct box_fixture *f, uint32_t kind, uint32_t reason, uint32_t nstuck, const char *text)
{
	struct look l;

	look(&l, f);
	expect(&l, kind, reason, nstuck);
	if (l.a.n != 1)
		fail_msg("more than one verdict:\n%s", l.text);
	if (text)
		says(&l, text);
	done(&l, f);
}

void healthy(struct box_fixture *f)
{
	struct look l;

	look(&l, f);
	if (l.a.n)
		fail_msg("not healthy:\n%s", l.text);
	done(&l, f);
}
