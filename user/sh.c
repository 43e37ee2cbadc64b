/* sh.c - a small shell: words, 'quotes', "quotes", \x, pipes, ; && || and background &. Built in:
 * cd exit help. `sh -c "commands"`, `sh -i` (prompt), else commands from standard input.
 *
 * A line is cut into tokens in one buffer; a command is the words up to an operator; a pipeline is
 * the commands up to something that is not |. Operators are evaluated from left to right.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "run.h"

#define PROMPT    "hindsight# "
#define LINE_MAX_ 4096
#define WORDS_MAX 256
#define PIPE_MAX  16

enum op { OP_END, OP_PIPE, OP_SEMI, OP_AND, OP_OR, OP_BACK };
struct token {
	char *word; /* NULL: an operator */
	enum op op;
};

static int last_status;

/* Cuts s (changed in place: words only get shorter) into tokens; -1 and a message on bad syntax. */
static int cut(const char *s, char *buf, struct token *t, int max)
{
	int n = 0;

	for (;;) {
		char quote = 0;

		while (*s == ' ' || *s == '\t' || *s == '\r')
			s++;
		if (n == max - 1) {
			dprintf(2, "sh: too many words\n");
			return -1;
		}
		t[n].word = NULL;
		if (!*s || *s == '\n' || *s == '#') {
			t[n].op = OP_END;
			return n;
		}
		if (strchr("|;&", *s)) {
			char c = *s++;
			int twice = *s == c;

			s += twice;
			t[n++].op = c == ';'   ? OP_SEMI
				    : c == '|' ? (twice ? OP_OR : OP_PIPE)
				    : twice    ? OP_AND
					       : OP_BACK;
			if (c == ';' && twice)
				s--;
			continue;
		}
		t[n++].word = buf;
		for (; *s && (quote || !strchr(" \t\r\n|;&", *s)); s++) {
			if (quote ? *s == quote : *s == '\'' || *s == '"')
				quote = quote ? 0 : *s;
			else if (*s == '\\' && quote != '\'' && s[1])
				*buf++ = *++s;
			else
				*buf++ = *s;
		}
		if (quote) {
			dprintf(2, "sh: no closing %c\n", quote);
			return -1;
		}
		*buf++ = '\0';
	}
}

static int help(void)
{
	static char *const list[] = {"ls", "/bin", NULL};
	pid_t pid;

	printf("built in: cd [dir], exit [status], help\n"
	       "syntax:   command words | command ; command && command || command & 'text' "
	       "\"text\"\n"
	       "programs in /bin:\n");
	fflush(stdout);
	pid = run_start(list, -1, -1);
	return pid < 0 ? 1 : run_wait(pid);
}

/* Status, or -1 if it is not a built-in command. */
static int built_in(char **argv)
{
	if (strcmp(argv[0], "cd") == 0) {
		const char *dir = argv[1] ? argv[1] : "/";

		if (chdir(dir) == 0)
			return 0;
		dprintf(2, "cd: %s: %s\n", dir, strerror(errno));
		return 1;
	}
	if (strcmp(argv[0], "exit") == 0)
		exit(argv[1] ? atoi(argv[1]) : last_status);
	if (strcmp(argv[0], "help") == 0)
		return help();
	return -1;
}

/* Starts one command of a pipeline. in and out as for run_start; close_fd: the child's spare end.
 */
static pid_t start(char **argv, int in, int out, int close_fd)
{
	pid_t pid;

	if (in < 0 && out < 0)
		return run_start(argv, -1, -1);
	pid = fork();
	if (pid == 0) {
		int status;

		if (close_fd >= 0)
			close(close_fd);
		if (in >= 0) {
			dup2(in, 0);
			close(in);
		}
		if (out >= 0) {
			dup2(out, 1);
			close(out);
		}
		status = built_in(argv);
		if (status < 0)
			run_exec(argv);
		exit(status);
	}
	return pid;
}

static int pipeline(char **argv[], int n, int background)
{
	pid_t pids[PIPE_MAX];
	int in = -1, status = 0;

	if (n == 1 && !background) {
		status = built_in(argv[0]);
		if (status >= 0)
			return status;
	}
	for (int i = 0; i < n; i++) {
		int fd[2] = {-1, -1};

		if (i + 1 < n && pipe(fd) < 0) {
			perror("sh: pipe");
			n = i;
			status = 1;
			break;
		}
		pids[i] = start(argv[i], in, fd[1], fd[0]);
		if (pids[i] < 0)
			perror("sh: fork");
		if (in >= 0)
			close(in);
		if (fd[1] >= 0)
			close(fd[1]);
		in = fd[0];
	}
	if (in >= 0)
		close(in);
	if (background) {
		dprintf(2, "[%d]\n", (int)pids[n - 1]);
		return 0;
	}
	for (int i = 0; i < n; i++)
		status = pids[i] < 0 ? 1 : run_wait(pids[i]);
	return status;
}

static void run_line(const char *line)
{
	static char buf[LINE_MAX_ * 2];
	static struct token t[WORDS_MAX];
	static char *words[WORDS_MAX + PIPE_MAX];
	int n = cut(line, buf, t, WORDS_MAX), i = 0, skip = 0;

	if (n < 0) {
		last_status = 2;
		return;
	}
	while (i < n) {
		char **argv[PIPE_MAX], **w = words;
		int commands = 0;
		enum op op;

		do {
			argv[commands] = w;
			for (; t[i].word; i++)
				*w++ = t[i].word;
			*w++ = NULL;
			op = t[i].op;
			if (!argv[commands][0] || ++commands == PIPE_MAX) {
				dprintf(2, "sh: syntax error\n");
				last_status = 2;
				return;
			}
			i += op != OP_END;
		} while (op == OP_PIPE);
		if (!skip)
			last_status = pipeline(argv, commands, op == OP_BACK);
		skip = op == OP_AND ? last_status != 0 : op == OP_OR ? last_status == 0 : 0;
	}
}

/* Background children that have ended. */
static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* A line from fd, byte by byte: what follows it belongs to the commands. 0 at the end. */
static int read_line(char *line, size_t size)
{
	size_t n = 0;
	char c;

	for (;;) {
		ssize_t got = read(0, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return n > 0;
		if (n < size - 1)
			line[n++] = c;
		line[n] = '\0';
		if (c == '\n')
			return 1;
	}
}

int main(int argc, char **argv)
{
	static char line[LINE_MAX_];
	int prompt = argc > 1 && strcmp(argv[1], "-i") == 0;

	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		if (strlen(argv[2]) >= LINE_MAX_) {
			dprintf(2, "sh: the command is too long\n");
			return 2;
		}
		run_line(argv[2]);
		return last_status;
	}
	for (;;) {
		reap();
		if (prompt) {
			printf(PROMPT);
			fflush(stdout);
		}
		line[0] = '\0';
		if (!read_line(line, sizeof(line)))
			break;
		run_line(line);
		fflush(stdout);
	}
	return last_status;
}
