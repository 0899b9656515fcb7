/* man: man pages as roff, out of the tables that arguments are read by. */
#include "inside.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "otway/model/counter.h"
#include "otway/base/text.h"

/* Text that roff is to print as it stands. */
static void plain(struct bytes text)
{
	if (text.len > 0 && (text.at[0] == '.' || text.at[0] == '\''))
		fputs("\\&", stdout);
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\\')
			fputs("\\e", stdout);
		else if (text.at[i] == '-')
			fputs("\\-", stdout);
		else if (text.at[i] == '\'')
			fputs("\\(aq", stdout);
		else
			putchar(text.at[i]);
	}
}

static void line(const char *text)
{
	plain(bytes_of(text));
	putchar('\n');
}

/* Lines of prose; an empty one begins a paragraph, one that is moved in stays as it is set. */
static void prose(const char *text)
{
	struct bytes rest = bytes_of(text);

	while (rest.len > 0) {
		struct bytes one = text_cut(rest, '\n', &rest);

		if (one.len == 0)
			puts(".PP");
		else if (one.at[0] == ' ')
			puts(".br");
		if (one.len > 0) {
			plain(text_trim(one));
			putchar('\n');
		}
	}
}

static void verbatim(const char *text)
{
	struct bytes rest = bytes_of(text);

	puts(".PP\n.nf\n.RS");
	while (rest.len > 0) {
		plain(text_cut(rest, '\n', &rest));
		putchar('\n');
	}
	puts(".RE\n.fi");
}

static void option_list(const struct cli_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (options[i].help == NULL)
			continue;
		printf(".TP\n\\fB\\-\\-");
		plain(bytes_of(options[i].name));
		printf("\\fR");
		if (options[i].argument != NULL) {
			printf(" \\fI");
			plain(bytes_of(options[i].argument));
			printf("\\fR");
		}
		putchar('\n');
		plain(bytes_of(options[i].help));
		puts(options[i].many ? "; may be given several times." : ".");
	}
}

static void title(const char *name)
{
	printf(".TH \"OTWAY");
	for (const char *p = name; p != NULL && *p != '\0'; p++)
		printf("%s%c", p == name ? "\\-" : "", toupper((unsigned char)*p));
	printf("\" 1 \"\" \"otway %s\" \"otway\"\n.SH NAME\notway%s%s \\- ", OTWAY_VERSION, name != NULL ? "\\-" : "",
		name != NULL ? name : "");
}

static void synopsis(const struct cli_group *g, const struct cli_verb *v)
{
	struct buf usage = { 0 };

	if (help_usage(v, &usage)) {
		printf(".PP\n\\fBotway %s%s%s\\fR", g->name, v->name != NULL ? " " : "",
			v->name != NULL ? v->name : "");
		line((const char *)usage.at);
	}
	buf_clear(&usage);
}

static void verb_section(const struct cli_verb *v)
{
	if (v->name != NULL)
		printf(".SS \"%s%s%s\"\n", v->name, v->operands != NULL ? " " : "",
			v->operands != NULL ? v->operands : "");
	else
		puts(".SH OPTIONS");
	putchar(toupper((unsigned char)v->help[0]));
	plain(bytes_of(v->help + 1));
	puts(".");
	if (v->notes != NULL) {
		puts(".PP");
		prose(v->notes);
	}
	option_list(v->options, v->option_count);
}

static void page_end(void)
{
	puts(".SH EXIT STATUS\n"
	     "0 done; 1 failed; 2 usage; 3 not found; 4 refused by policy; 5 partly done, an intercepted stream stayed "
	     "sealed;\n"
	     "6 a peer could not be reached; 7 an integrity check failed.");
	puts(".SH EVERYWHERE");
	option_list(args_global, args_global_count);
}

static const struct {
	const char *name, *meaning;
} settings[] = {
	{ "store", "As --store." },
	{ "kms_header", "The SIP header that names a key management service." },
	{ "decap.leave", "Tunnels that are left as they are: vxlan, geneve, gtpu, tzsp, hep, l2tp, esp, mpls, pppoe, "
			 "gre, erspan, "
			 "ipip. None; VLAN tags are always taken off." },
	{ "decap.ports.TUNNEL",
		"The UDP ports of vxlan (4789, 4790, 8472), geneve (6081), gtpu (2152), tzsp (37008), hep (9060), l2tp "
		"(1701), esp (4500): up to eight, in place of these." },
	{ "decap.depth", "Headers that are taken off one frame, 8 to 40 (40)." },
	{ "run", "Of the live system: see deploy/otway.yaml, otway-config(1) and otway-run(1)." },
	{ "sip.ports", "Where SIP is looked for: up to 64 ports. None: on every port, by what it says." },
};

static void counters_section(void)
{
	const struct counter_words *words;

	puts(".SH COUNTERS");
	for (size_t i = 0; (words = counter_words_at(i)) != NULL; i++) {
		printf(".TP\n\\fB%s\\fR\n", words->name);
		line(words->meaning);
	}
}

static void page_of_program(const struct cli *c)
{
	title(NULL);
	puts("lawful interception of IMS calls, from warrant to evidence\n"
	     ".SH SYNOPSIS\n\\fBotway\\fR \\fICOMMAND\\fR ...\n.SH COMMANDS");
	for (size_t g = 0; g < c->group_count; g++) {
		if (c->groups[g]->help == NULL)
			continue;
		printf(".TP\n\\fBotway\\-%s\\fR(1)\n", c->groups[g]->name);
		line(c->groups[g]->help);
	}
	puts(".SH STORE\n"
	     "Warrants, their history and the audit trail are kept in \\fBsqlite:\\fIPATH\\fR. Where neither "
	     "\\-\\-store nor "
	     "\\-\\-config is given, the store is the one that " CLI_CONFIG
	     ", the configuration of the live system, names; where "
	     "that file is not there or names none, /var/lib/otway/otway.db for root, else "
	     "$XDG_DATA_HOME/otway/otway.db. The "
	     "file must be private to its owner.\n"
	     ".PP\nOr in \\fBpostgresql://\\fIUSER\\fB@\\fIHOST\\fB/\\fIDATABASE\\fB?sslrootcert=\\fIFILE\\fR, a "
	     "socket's folder as \\fBhost=\\fIFOLDER\\fR behind the question mark. Passwords come out of "
	     "\\fBpassfile=\\fIFILE\\fR or ~/.pgpass, which nobody else may read. deploy/postgresql.sql in the source "
	     "makes the roles that it needs.\n"
	     ".SH TIMES\n"
	     "RFC 3339 with a zone, as in 2026\\-11\\-21T09:00:00Z, or relative: now, +72h (s m h d w). They are told "
	     "in UTC.\n"
	     ".SH CONFIGURATION\n"
	     "The YAML file of \\-\\-config; \\fBotway\\-run\\fR(1), \\fBotway\\-config\\fR(1) and "
	     "\\fBotway\\-status\\fR(1) read " CLI_CONFIG
	     " without it, other commands no more of that than where the store is. All of it may be left out; "
	     "deploy/otway.yaml in the source has every "
	     "setting "
	     "with its default.");
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		printf(".TP\n\\fB%s\\fR\n", settings[i].name);
		line(settings[i].meaning);
	}
	page_end();
}

void man_page(const struct cli *c, const struct cli_group *g)
{
	if (g == NULL) {
		page_of_program(c);
		return;
	}
	title(g->name);
	line(g->help);
	puts(".SH SYNOPSIS");
	for (size_t i = 0; i < g->verb_count; i++)
		synopsis(g, &g->verbs[i]);
	if (g->notes != NULL) {
		puts(".SH DESCRIPTION");
		prose(g->notes);
	}
	if (strcmp(g->name, "explain") == 0)
		counters_section();
	if (g->verbs[0].name != NULL)
		puts(".SH COMMANDS");
	for (size_t i = 0; i < g->verb_count; i++)
		verb_section(&g->verbs[i]);
	puts(".SH EXAMPLES");
	for (size_t i = 0; i < g->verb_count; i++)
		if (g->verbs[i].examples != NULL)
			verbatim(g->verbs[i].examples);
	page_end();
	puts(".SH SEE ALSO\n\\fBotway\\fR(1)");
}
