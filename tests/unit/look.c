/* look.c - see look.h. */
#include "look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_FILE "tests/unit/why_golden.txt"

/* Which boxes are compared: all with a verdict, but one of a CPU that has never ticked, which is
 * silent since the host's own start. */
static bool comparable(const struct look *l, const struct box_fixture *f)
{
	for (unsigned c = 0; c < FX_CPUS; c++)
		if (f->cpus[c].online && !f->cpus[c].last_tick)
			return false;
	return l->status != 0;
}

/* The n-th of this program: under "== program n" in the golden file are all its words, and the JSON
 * of the first of a kind. GOLDEN=FILE in the environment writes what is instead of comparing. */
static void compare(const struct look *l)
{
	static unsigned looks;
	static bool seen[32][64];
	bool *json = &seen[l->a.n ? l->a.v[0].kind % 32 : 0][l->a.n ? l->a.v[0].reason % 64 : 0];
	char *is, *all = NULL, *from, head[64];
	size_t n = 0;
	FILE *out = open_memstream(&is, &n), *file;

	snprintf(head, sizeof(head), "== %s %u\n", program_invocation_short_name, ++looks);
	fx_print(out, l->text);
	if (!*json)
		fx_print(out, l->json);
	*json = true;
	fclose(out);
	file = fopen(getenv("GOLDEN") ? getenv("GOLDEN") : GOLDEN_FILE,
		     getenv("GOLDEN") ? "a" : "r");
	assert_non_null(file);
	if (getenv("GOLDEN")) {
		fprintf(file, "%s%s", head, is);
	} else {
		assert_true(getdelim(&all, &n, 0, file) > 0);
		from = strstr(all, head);
		if (!from)
			fail_msg("not in " GOLDEN_FILE ": %s%s", head, is);
		from += strlen(head);
		n = strlen(is);
		if (strncmp(is, from, n) || (from[n] && strncmp(from + n, "== ", 3)))
			fail_msg("%sgot\n%s\nexpected\n%.*s", head, is, (int)n, from);
		free(all);
	}
	fclose(file);
	free(is);
}

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
	if (comparable(l, f))
		compare(l);
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
