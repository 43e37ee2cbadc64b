/* held.pml - the held stack of tracing/held.h: one writer, one reader, every interleaving.
 *
 * The word {version, count} is one variable. An entry has two halves, stored in any order: what a push
 * writes becomes visible piece by piece. `pend` is a pop whose store is not visible yet; the fence at the
 * start of a push makes it so. -DNO_FENCE leaves the fence out: the check must then fail, and does.
 * -DNO_RECHECK: a reader that does not look at the word again; must fail as well.
 */
#define DEPTH 2
#define OPS   5
#define WORD(v, n) ((v) * 4 + (n))

byte word = 0;           /* version * 4 + count */
byte lo[DEPTH], hi[DEPTH]; /* an entry's halves: the number of its push */
byte truth[DEPTH];       /* what the entries are, by the visible word */
byte pend = 255;         /* word of a pop that is not visible yet */

inline flush() {
	if
	:: pend != 255 -> atomic { word = pend; pend = 255 }
	:: else -> skip
	fi
}

/* Between two stores: without the fence, a pop before may become visible at any time. */
inline maybe() {
#ifdef NO_FENCE
	if
	:: flush()
	:: skip
	fi
#else
	skip
#endif
}

active proctype writer() {
	byte v = 0, n = 0, id = 0, k = 0;

	do
	:: k == OPS -> break
	:: k < OPS && n < DEPTH -> /* push */
		k++; id++;
#ifndef NO_FENCE
		flush();
#endif
		maybe();
		if
		:: lo[n] = id; maybe(); hi[n] = id
		:: hi[n] = id; maybe(); lo[n] = id
		fi;
		flush(); /* the word is one variable: its stores stay in order */
		v = v + 2;
		atomic { truth[n] = id; n++; word = WORD(v, n) }
	:: k < OPS && n > 0 -> /* pop of the newest */
		k++;
		flush();
		n--;
		pend = WORD(v, n);
		if
		:: flush()
		:: skip
		fi
	:: k < OPS && n == 2 -> /* out of order: the older one goes */
		k++;
		flush();
		v++;
		word = WORD(v, n);
		lo[0] = lo[1]; hi[0] = hi[1];
		n--; v++;
		atomic { truth[0] = truth[1]; word = WORD(v, n) }
	od;
	flush()
}

active proctype reader() {
	byte w, i, n, a[DEPTH], b[DEPTH], want[DEPTH];

	atomic { w = word; want[0] = truth[0]; want[1] = truth[1] }
	n = w % 4;
	if
	:: (w / 4) % 2 == 1 -> goto refused
	:: else -> skip
	fi;
	do
	:: i == n -> break
	:: i < n -> a[i] = lo[i]; b[i] = hi[i]; i++
	od;
#ifndef NO_RECHECK
	if
	:: word != w -> goto refused
	:: else -> skip
	fi;
#endif
	i = 0;
	do
	:: i == n -> break
	:: i < n -> assert(a[i] == b[i] && a[i] == want[i]); i++
	od;
refused:
	skip
}
