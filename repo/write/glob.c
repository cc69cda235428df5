/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pattern is compiled to steps.  Matching goes through text and steps in
 * parallel and remembers two places to come back to: the last star, which may
 * take one byte more of the same component, and the last "**", which may take
 * more of the path.  Going back to earlier ones never helps: what lies between
 * two "**" was matched as early as possible and the later one can take up the
 * rest, and a star before a slash can only end where the component ends.
 */
#include "repo/write/glob.h"

#include <stdint.h>
#include <string.h>
#include "repo/base/buf.h"

enum step_kind {
	STEP_END,
	STEP_BYTE,
	STEP_ANY,   /* ? */
	STEP_CLASS, /* [...] */
	STEP_STAR,  /* any bytes but '/' */
	STEP_DIRS,  /* "**" and '/': any number of whole components */
	STEP_ALL,   /* any bytes */
};

struct step {
	uint8_t kind;
	uint8_t byte;
	uint32_t class; /* index */
};

struct class {
	uint64_t bits[4];
};

struct glob {
	struct step *steps;
	struct class *classes;
	size_t n_steps, n_classes;
};

/* -- Compiling --------------------------------------------------------------- */

/* What is left of a pattern; byte 0 stands for its end. */
struct cursor {
	const char *begin, *p, *end;
};

static unsigned char
peek(const struct cursor *c, ptrdiff_t ahead)
{
	return c->end - c->p > ahead ? (unsigned char)c->p[ahead] : 0;
}

static void
class_add(struct class *k, unsigned from, unsigned to)
{
	for (unsigned b = from; b <= to; b++)
		k->bits[b / 64] |= 1ULL << b % 64;
}

static bool
class_has(const struct class *k, unsigned char b)
{
	return k->bits[b / 64] >> b % 64 & 1;
}

/* The ranges of a named class: git's own, ASCII only ([:space:] has neither
 * \v nor \f). */
static const struct {
	const char *name;
	const char *ranges; /* pairs */
} named_classes[] = {
	{ "alnum", "09AZaz" },
	{ "alpha", "AZaz" },
	{ "blank", "  \t\t" },
	{ "cntrl", "\x01\x1f\x7f\x7f" },
	{ "digit", "09" },
	{ "graph", "!~" },
	{ "lower", "az" },
	{ "print", " ~" },
	{ "punct", "!/:@[`{~" },
	{ "space", "  \t\n\r\r" },
	{ "upper", "AZ" },
	{ "xdigit", "09AFaf" },
};

static bool
class_add_named(struct class *k, const char *name, size_t len)
{
	for (size_t i = 0; i < n_elements(named_classes); i++) {
		const char *r = named_classes[i].ranges;

		if (strlen(named_classes[i].name) != len ||
			memcmp(named_classes[i].name, name, len) != 0)
			continue;
		for (; *r; r += 2)
			class_add(k, (unsigned char)r[0], (unsigned char)r[1]);
		return true;
	}
	return false;
}

/*
 * At "[:".  Takes [:name:] and returns 1; 0 when there is no such thing, and
 * '[' is an ordinary member; -1 malformed.
 */
static int
parse_named(struct cursor *c, struct class *k)
{
	const char *name = c->p + 2;
	const char *close = memchr(name, ']', (size_t)(c->end - name));

	if (!close)
		return -1;
	if (close == name || close[-1] != ':')
		return 0;
	if (!class_add_named(k, name, (size_t)(close - 1 - name)))
		return -1;
	c->p = close + 1;
	return 1;
}

/* A member byte, perhaps escaped; 0 at the end of the pattern. */
static unsigned char
parse_byte(struct cursor *c)
{
	unsigned char b = peek(c, 0);

	if (b == '\\') {
		c->p++;
		b = peek(c, 0);
	}
	c->p += b != 0;
	return b;
}

/*
 * One member or range.  *last is the byte that a '-' would continue from, or
 * 0.  False when the class is malformed.
 */
static bool
parse_member(struct cursor *c, struct class *k, unsigned char *last)
{
	unsigned char b = peek(c, 0), next = peek(c, 1);
	int named = 0;

	if (b == '-' && *last && next && next != ']') {
		c->p++;
		b = parse_byte(c);
		class_add(k, *last, b);
		*last = 0;
		return b != 0;
	}
	if (b == '[' && next == ':')
		named = parse_named(c, k);
	if (named) {
		*last = 0;
		return named > 0;
	}
	*last = parse_byte(c);
	class_add(k, *last, *last);
	return *last != 0;
}

/* Behind '['.  The first member may be ']'. */
static bool
parse_class(struct cursor *c, struct class *k)
{
	bool negated = peek(c, 0) == '!' || peek(c, 0) == '^';
	unsigned char last = 0;

	*k = (struct class){ { 0 } };
	c->p += negated;
	do {
		if (!parse_member(c, k, &last))
			return false;
	} while (peek(c, 0) != ']');
	c->p++;
	for (size_t i = 0; negated && i < n_elements(k->bits); i++)
		k->bits[i] = ~k->bits[i];
	return true;
}

/* Behind the first '*'. */
static enum step_kind
parse_stars(struct cursor *c)
{
	const char *first = c->p - 1;
	bool after_slash = first == c->begin || first[-1] == '/';

	if (peek(c, 0) != '*')
		return STEP_STAR;
	while (peek(c, 0) == '*')
		c->p++;
	if (!after_slash)
		return STEP_STAR;
	if (peek(c, 0) == '/') {
		c->p++;
		return STEP_DIRS;
	}
	if (!peek(c, 0) || (peek(c, 0) == '\\' && peek(c, 1) == '/'))
		return STEP_ALL;
	return STEP_STAR;
}

static bool
parse_step(struct cursor *c, struct glob *g)
{
	struct step *s = &g->steps[g->n_steps++];

	*s = (struct step){ .kind = STEP_BYTE, .byte = (uint8_t)*c->p++ };
	switch (s->byte) {
	case '?':
		s->kind = STEP_ANY;
		return true;
	case '*':
		s->kind = parse_stars(c);
		return true;
	case '[':
		s->kind = STEP_CLASS;
		s->class = (uint32_t)g->n_classes;
		return parse_class(c, &g->classes[g->n_classes++]);
	case '\\':
		s->byte = peek(c, 0);
		c->p++;
		return s->byte != 0;
	default:
		return true;
	}
}

struct glob *
glob_new(const char *pattern, size_t len)
{
	struct cursor c = { pattern, pattern, pattern + len };
	struct glob *g = xcalloc(1, sizeof(*g));
	size_t brackets = 0;

	for (size_t i = 0; i < len; i++)
		brackets += pattern[i] == '[';
	g->steps = xcalloc(len + 1, sizeof(*g->steps));
	g->classes = xcalloc(brackets + 1, sizeof(*g->classes));
	while (c.p < c.end) {
		if (!parse_step(&c, g)) {
			glob_free(g);
			return NULL;
		}
	}
	g->steps[g->n_steps].kind = STEP_END;
	return g;
}

void
glob_free(struct glob *g)
{
	if (!g)
		return;
	free(g->steps);
	free(g->classes);
	free(g);
}

/* -- Matching ---------------------------------------------------------------- */

struct match {
	const struct glob *g;
	const char *t, *end;
	const struct step *s;
	const struct step *star, *deep; /* NULL: none to come back to */
	const char *star_t, *deep_t;	/* where their rest was tried last */
};

/* Whether the step takes the next byte, which exists. */
static bool
takes_byte(const struct match *m)
{
	unsigned char b = (unsigned char)*m->t;

	switch (m->s->kind) {
	case STEP_BYTE:
		return m->s->byte == b;
	case STEP_ANY:
		return b != '/';
	case STEP_CLASS:
		return b != '/' && class_has(&m->g->classes[m->s->class], b);
	default:
		return false;
	}
}

/* Let the last star or "**" take more; false when none can. */
static bool
come_back(struct match *m)
{
	if (m->star && m->star_t < m->end && *m->star_t != '/') {
		m->t = ++m->star_t;
		m->s = m->star + 1;
		return true;
	}
	m->star = NULL;
	if (!m->deep || m->deep_t == m->end)
		return false;
	if (m->deep->kind == STEP_DIRS) {
		m->deep_t = memchr(m->deep_t, '/', (size_t)(m->end - m->deep_t));
		if (!m->deep_t) {
			m->deep = NULL;
			return false;
		}
	}
	m->t = ++m->deep_t;
	m->s = m->deep + 1;
	return true;
}

/* One step forward; false when there is none. */
static bool
advance(struct match *m)
{
	if (m->s->kind == STEP_STAR) {
		m->star = m->s++;
		m->star_t = m->t;
		return true;
	}
	if (m->s->kind == STEP_DIRS || m->s->kind == STEP_ALL) {
		m->deep = m->s++;
		m->deep_t = m->t;
		m->star = NULL;
		return true;
	}
	if (m->t == m->end || !takes_byte(m))
		return false;
	if (*m->t == '/')
		m->star = NULL;
	m->t++;
	m->s++;
	return true;
}

bool
glob_match(const struct glob *g, const char *text, size_t len)
{
	struct match m = { .g = g, .t = text, .end = text + len };

	m.s = g->steps;
	for (;;) {
		if (m.s->kind == STEP_END) {
			if (m.t == m.end)
				return true;
			if (m.s > g->steps && m.s[-1].kind == STEP_ALL)
				return true;
		} else if (advance(&m)) {
			continue;
		}
		if (!come_back(&m))
			return false;
	}
}

size_t
glob_literal_len(const char *pattern, size_t len)
{
	size_t n = 0;

	while (n < len && !strchr("*?[\\", pattern[n]))
		n++;
	return n;
}
