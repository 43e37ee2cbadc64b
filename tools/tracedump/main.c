/* main.c - the command line of tracedump. Exit status: 0 all well, 1 a hang or crash was found
 * (why), 2 the input or the command line is bad. */
#include "timeline/perfetto.h"
#include "say/show.h"
#include "think/why.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_APART_NS 50000000L

static const char usage[] =
	"usage: tracedump COMMAND FILE [options]\n"
	"\n"
	"FILE is the memory file of a guest (running or not), a dump made with QEMU's\n"
	"dump-guest-memory, or a bare black box.\n"
	"\n"
	"commands:\n"
	"  why        what hangs, because of whom (exit status 1 if something does)\n"
	"  text       every event, one a line, all CPUs in order of time\n"
	"  perfetto   a timeline for ui.perfetto.dev\n"
	"  ps         tasks: state, what they wait for, what they hold\n"
	"  locks      locks that are held or were contended\n"
	"  cpus       CPUs: what each runs, ticks, interrupts\n"
	"  info       what this file is, what was recorded and what was lost\n"
	"\n"
	"options:\n"
	"  --elf FILE     kernel.elf, for source lines\n"
	"  --full         why: all evidence\n"
	"  --json         why: verdicts and evidence as JSON\n"
	"  --last N       text: only the last N events\n"
	"  --cpu N        text: only this CPU\n"
	"  --cat a,b      text: only these categories\n"
	"  --task TID     text: only this thread\n"
	"  -o FILE        perfetto: where to write (default: trace.pftrace)\n"
	"  --machine N    perfetto: a number of its own for each of several timelines that\n"
	"                 are to be joined (cat A B > C); without it tasks would be mixed\n"
	"  --help, --version\n";

static const struct option longs[] = {
	{"elf", required_argument, NULL, 'e'},     {"full", no_argument, NULL, 'f'},
	{"json", no_argument, NULL, 'j'},          {"last", required_argument, NULL, 'l'},
	{"cpu", required_argument, NULL, 'c'},     {"cat", required_argument, NULL, 'k'},
	{"task", required_argument, NULL, 't'},    {"output", required_argument, NULL, 'o'},
	{"machine", required_argument, NULL, 'm'}, {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},       {NULL, 0, NULL, 0},
};

/* Commands and the options of their own. */
static const struct {
	const char *name, *options;
} commands[] = {{"why", "efj"}, {"text", "elckt"}, {"perfetto", "eom"}, {"ps", "e"},
		{"locks", "e"}, {"cpus", "e"},     {"info", "e"}};

struct options {
	const char *command, *file, *elf, *out, *cats;
	uint32_t given; /* bit n: option 'a' + n */
	bool full, json;
	int64_t machine;
	struct td_filter filter;
};

static void on_sigbus(int sig)
{
	static const char msg[] = "tracedump: the file became shorter while it was being read\n";

	(void)sig;
	(void)!write(2, msg, sizeof(msg) - 1);
	_exit(2);
}

static int bad(const char *text)
{
	fprintf(stderr, "tracedump: %s\n", text);
	return 2;
}

static bool number(const char *s, int64_t *out)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(s, &end, 10);
	*out = v;
	return *s >= '0' && *s <= '9' && !*end && !errno;
}

/* Returns -1 to go on, else the exit status. */
static int parse(int argc, char **argv, struct options *o)
{
	int64_t last = 0;
	int c;

	*o = (struct options){.out = "trace.pftrace",
			      .filter = {.last = UINT64_MAX, .cpu = -1, .tid = -1}};
	while ((c = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
		bool ok = true;

		if (c >= 'a' && c <= 'z')
			o->given |= 1u << (c - 'a');
		switch (c) {
		case 'e':
			o->elf = optarg;
			break;
		case 'f':
			o->full = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'l':
			ok = number(optarg, &last);
			o->filter.last = (uint64_t)last;
			break;
		case 'c':
			ok = number(optarg, &o->filter.cpu);
			break;
		case 't':
			ok = number(optarg, &o->filter.tid);
			break;
		case 'k':
			o->cats = optarg;
			break;
		case 'o':
			o->out = optarg;
			break;
		case 'm':
			ok = number(optarg, &o->machine) && o->machine > 0 &&
			     o->machine <= UINT32_MAX;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			printf("tracedump 0.1 (black box format %u.%u)\n", BB_VERSION >> 16,
			       BB_VERSION & 0xffff);
			return 0;
		default:
			return 2;
		}
		if (!ok) {
			fprintf(stderr,
				c == 'm' ? "tracedump: '%s' is not a machine's number (1 and up)\n"
					 : "tracedump: '%s' is not a number\n",
				optarg);
			return 2;
		}
	}
	if (argc - optind != 2) {
		fputs(usage, stderr);
		return 2;
	}
	o->command = argv[optind];
	o->file = argv[optind + 1];
	return -1;
}

/* Two looks, because in a running guest a chain of waits that dissolves at once is no hang. */
static int why(struct td_session *s, struct td_source *src, const struct options *o)
{
	struct td_session again;
	struct td_analysis first, second, *a = &first;
	struct td_error e;
	int status;

	td_analyse(&first, &s->model);
	if (first.n && td_source_live(src)) {
		nanosleep(&(struct timespec){0, LOOK_APART_NS}, NULL);
		if (td_session_load(&again, src, o->elf, &e)) {
			td_analysis_free(&first);
			return bad(e.text);
		}
		td_analyse(&second, &again.model);
		td_analysis_confirm(&second, &first);
		a = &second;
	}
	if (o->json)
		status = td_explain_json(a, stdout);
	else
		status = td_explain(a, stdout, o->full, s->warning);
	td_analysis_free(&first);
	if (a == &second) {
		td_analysis_free(&second);
		td_session_free(&again);
	}
	return status;
}

/* A slip of the hand must not cost the evidence, or the memory of a guest that runs. */
static bool same_file(const struct td_source *src, const char *path)
{
	struct stat in, out;

	return !fstat(src->fd, &in) && !stat(path, &out) && in.st_dev == out.st_dev &&
	       in.st_ino == out.st_ino;
}

static int write_perfetto(const struct td_session *s, const struct td_source *src,
			  const struct options *o)
{
	struct td_perfetto_stats st;
	bool failed;
	FILE *f;

	if (same_file(src, o->out)) {
		fprintf(stderr, "tracedump: %s is the input; name another file\n", o->out);
		return 2;
	}
	f = fopen(o->out, "wb");
	if (!f) {
		fprintf(stderr, "tracedump: cannot write %s: %s\n", o->out, strerror(errno));
		return 2;
	}
	errno = 0;
	td_perfetto(s, f, (uint32_t)o->machine, &st);
	failed = ferror(f);
	if (fclose(f) || failed) {
		fprintf(stderr, "tracedump: cannot write %s: %s\n", o->out,
			errno ? strerror(errno) : "write error");
		return 2;
	}
	printf("%s: %llu events, %llu lost, %llu unfinished slices; open it at ui.perfetto.dev\n",
	       o->out, (unsigned long long)st.events, (unsigned long long)st.lost,
	       (unsigned long long)st.unfinished);
	return 0;
}

/* A kernel that records nothing: what needs records is refused, not answered with "healthy". What
 * crashed says so all the same. */
static bool bare(const struct td_session *s, const char *command)
{
	struct bb_control c;

	return td_box_entry(&s->box, BB_SEC_CONTROL, 0, &c, sizeof(c)) && c.bare &&
	       !s->model.crashed && strcmp(command, "info") && strcmp(command, "ps") &&
	       strcmp(command, "cpus");
}

static int run(struct td_session *s, struct td_source *src, struct options *o)
{
	struct td_error e;

	if (bare(s, o->command)) {
		fprintf(stderr,
			"tracedump: this kernel (%.64s) is built without recorder and tracker: "
			"'%s' "
			"has nothing to go by. Use one of another CONFIG.\n",
			s->box.hdr.release, o->command);
		return 2;
	}
	if (s->warning[0] && strcmp(o->command, "why"))
		fprintf(stderr, "tracedump: warning: %s\n", s->warning);
	if (o->cats && td_filter_cats(&s->names, o->cats, &o->filter.cats, &e))
		return bad(e.text);
	if (o->filter.cpu >= s->box.hdr.cpus) {
		fprintf(stderr, "tracedump: there is no cpu%lld; the machine has %u\n",
			(long long)o->filter.cpu, s->box.hdr.cpus);
		return 2;
	}
	if (o->filter.tid >= 0 && !td_knows_task(s, o->filter.tid)) {
		fprintf(stderr,
			"tracedump: there is no thread %lld, in the tables or in the "
			"events; `tracedump ps` lists them\n",
			(long long)o->filter.tid);
		return 2;
	}
	if (s->rings.blind && !strcmp(o->command, "text"))
		fprintf(stderr, "tracedump: warning: switches of tasks were not recorded, so whose "
				"most events are is unknown; record `sched` too\n");
	if (!strcmp(o->command, "why"))
		return why(s, src, o);
	if (!strcmp(o->command, "perfetto"))
		return write_perfetto(s, src, o);
	if (!strcmp(o->command, "info"))
		td_show_info(s, stdout);
	else if (!strcmp(o->command, "text"))
		td_show_text(s, stdout, &o->filter);
	else if (!strcmp(o->command, "ps"))
		td_show_ps(s, stdout);
	else if (!strcmp(o->command, "locks"))
		td_show_locks(s, stdout);
	else
		td_show_cpus(s, stdout);
	return 0;
}

/* Is there such a command, and does it have the options that were given? */
static bool fits(const struct options *o)
{
	const char *allowed = NULL;

	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(o->command, commands[i].name))
			allowed = commands[i].options;
	if (!allowed) {
		fprintf(stderr, "tracedump: there is no command '%s'; see --help\n", o->command);
		return false;
	}
	for (const struct option *l = longs; l->name; l++)
		if (o->given >> (l->val - 'a') & 1 && !strchr(allowed, l->val)) {
			fprintf(stderr, "tracedump: '%s' has no option --%s; see --help\n",
				o->command, l->name);
			return false;
		}
	return true;
}

int main(int argc, char **argv)
{
	struct options o;
	struct td_source src;
	struct td_session s;
	struct td_error e;
	int status = parse(argc, argv, &o);

	if (status >= 0)
		return status;
	if (!fits(&o))
		return 2;
	signal(SIGBUS, on_sigbus);
	if (td_source_open(&src, o.file, &e))
		return bad(e.text);
	if (td_session_load(&s, &src, o.elf, &e)) {
		td_source_close(&src);
		return bad(e.text);
	}
	status = run(&s, &src, &o);
	td_session_free(&s);
	td_source_close(&src);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "tracedump: cannot write the output: %s\n", strerror(errno));
		return 2;
	}
	return status;
}
