/* look.h - one look of tracedump at the fixture's box: verdicts and words, and what a test expects
 * of them. A failure shows the words. */
#ifndef LOOK_H
#define LOOK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "box_fixture.h"
#include "read/session.h"
#include "think/why.h"

struct look {
	struct td_source src;
	struct td_session s;
	struct td_analysis a;
	char *text, *json;
	int status;
};

/* Seals the box and looks; what was found stays in *l until done(), which closes the fixture. */
void look(struct look *l, struct box_fixture *f);
void done(struct look *l, struct box_fixture *f);
/* The first verdict, and how many nodes are stuck because of it. */
void expect(struct look *l, uint32_t kind, uint32_t reason, uint32_t nstuck);
void says(struct look *l, const char *text);
void says_not(struct look *l, const char *text);

/* look and done in one: the only verdict; its words hold `text` (may be NULL). */
void hangs(struct box_fixture *f, uint32_t kind, uint32_t reason, uint32_t nstuck,
	   const char *text);
void healthy(struct box_fixture *f);

#endif
