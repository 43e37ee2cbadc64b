/* session.h - one look at one file: everything loaded and checked, in the right order. */
#ifndef TRACEDUMP_SESSION_H
#define TRACEDUMP_SESSION_H

#include "kelf.h"
#include "think/model.h"
#include "ring.h"

struct td_session {
	struct td_box box;
	struct td_names names;
	struct td_rings rings;
	struct td_model model;
	struct td_elf *elf;
	char warning[256];
};

/* Loads what `src` holds; elf_path may be NULL. 0 or -1 with a sentence. The session must stay
 * where it is: its parts point to each other. */
int td_session_load(struct td_session *s, struct td_source *src, const char *elf_path,
		    struct td_error *e);
void td_session_free(struct td_session *s);

#endif
