/* session.c - see session.h. Order: the box, its words, its events, then the graph of its tables.
 */
#include "session.h"

int td_session_load(struct td_session *s, struct td_source *src, const char *elf_path,
		    struct td_error *e)
{
	*s = (struct td_session){0};
	if (td_source_find(src, e) || td_box_load(&s->box, src, e))
		return -1;
	if (elf_path) {
		s->elf = td_elf_open(elf_path, &s->box.hdr, s->warning, sizeof(s->warning), e);
		if (!s->elf) {
			td_box_free(&s->box);
			return -1;
		}
	}
	td_names_init(&s->names, &s->box, s->elf);
	td_rings_decode(&s->rings, &s->box, &s->names);
	td_names_learn(&s->names, &s->rings);
	td_model_build(&s->model, &s->box, &s->names, &s->rings);
	return 0;
}

void td_session_free(struct td_session *s)
{
	td_model_free(&s->model);
	td_rings_free(&s->rings);
	td_names_free(&s->names);
	td_box_free(&s->box);
	td_elf_close(s->elf);
	s->elf = NULL;
}
