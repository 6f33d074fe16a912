// cmd_completion.c: `loam completion`: what a shell offers behind "loam", out of the tables.
//
// Bash gets words; zsh and fish get what each option means as well, and whether a file, a number or
// nothing follows it. What stands behind the options of a command that starts programs is the
// program's own command line, which zsh and fish complete as they would have without loam.

#include "cli/opt.h"

#include <string.h>

// A value is a file unless its name in help says otherwise.
static bool takes_file(const struct option *o)
{
    return o->argument != NULL &&
           (strstr(o->argument, "FILE") != NULL || strstr(o->argument, "PATH") != NULL);
}

// `text` inside of single quotes, with a backslash before each of `special`. The quote itself is
// told as the shell wants it.
static void put_quoted(const char *text, const char *special, const char *quote)
{
    for (; *text != 0; text++) {
        if (*text == '\'') {
            fputs(quote, stdout);
            continue;
        }
        if (strchr(special, *text) != NULL)
            putchar('\\');
        putchar(*text);
    }
}

// ---------------------------------------------------------------- bash

static void bash_words(const struct command *c)
{
    printf("    %s) words='-h --help", c->name);
    for (size_t i = 0; i < c->options_count; i++)
        printf(" --%s", c->options[i].name);
    puts("' ;;");
}

static void bash(void)
{
    puts("_loam()\n{\n    local words command=${COMP_WORDS[1]} now=${COMP_WORDS[COMP_CWORD]}");
    printf("    if [ \"$COMP_CWORD\" = 1 ]; then\n        COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < commands_count; i++)
        printf("%s%s", i == 0 ? "" : " ", commands[i]->name);
    puts("' -- \"$now\"))\n        return\n    fi\n    case $command in");
    for (size_t i = 0; i < commands_count; i++)
        bash_words(commands[i]);
    puts("    *) return ;;\n    esac");
    puts("    case $now in\n    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$now\")) ;;");
    puts("    *) COMPREPLY=($(compgen -f -- \"$now\")) ;;\n    esac\n}");
    puts("complete -o bashdefault -o default -F _loam loam");
}

// ---------------------------------------------------------------- zsh

// "[what it does]" and what follows, behind the option's name.
static void zsh_meaning(const struct option *o)
{
    putchar('[');
    put_quoted(o->help, "[]:\\", "'\\''");
    putchar(']');
    if (o->argument == NULL)
        return;
    fputs(o->kind == OPT_MAYBE ? "::" : ":", stdout);
    put_quoted(o->argument, "[]:\\", "'\\''");
    fputs(takes_file(o) ? ":_files" : ": ", stdout);
}

static void zsh_option(const struct option *o)
{
    const char *joined = o->argument == NULL ? "" : o->kind == OPT_MAYBE ? "=-" : "=";
    printf(" \\\n            '--%s%s", o->name, joined);
    zsh_meaning(o);
    putchar('\'');
    if (o->letter == 0)
        return;
    printf(" \\\n            '-%c%s", o->letter, o->argument == NULL ? "" : "+");
    zsh_meaning(o);
    putchar('\'');
}

static void zsh_command(const struct command *c)
{
    printf("    %s)\n        _arguments -s -S", c->name);
    for (size_t i = 0; i < c->options_count; i++)
        zsh_option(&c->options[i]);
    fputs(" \\\n            '(- *)'{-h,--help}'[this screen, or the whole manual]' \\\n", stdout);
    puts(c->stops ? "            '(-)1:program:_command_names -e' '*::arguments:_normal'"
         : strcmp(c->name, "help") == 0 ? "            '1:command:_loam_commands'"
                                        : "            '*:file:_files'");
    puts("        ;;");
}

static void zsh(void)
{
    puts("#compdef loam\n_loam_commands()\n{\n    local -a commands=(");
    for (size_t i = 0; i < commands_count; i++) {
        printf("        '%s:", commands[i]->name);
        put_quoted(commands[i]->summary, ":\\", "'\\''");
        puts("'");
    }
    puts("    )\n    _describe -t commands command commands\n}");
    puts("_loam()\n{\n    if (( CURRENT == 2 )); then\n        _loam_commands\n        return\n    "
         "fi");
    puts("    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in");
    for (size_t i = 0; i < commands_count; i++)
        zsh_command(commands[i]);
    puts("    esac\n}");
    // As a file of $fpath it is the function's own body; sourced, it registers the function.
    puts("if [[ $funcstack[1] = _loam ]]; then _loam \"$@\"; else compdef _loam loam; fi");
}

// ---------------------------------------------------------------- fish

static void fish_option(const struct command *c, const struct option *o)
{
    printf("complete -c loam -n '__loam_is %s' -l %s", c->name, o->name);
    if (o->letter != 0)
        printf(" -s %c", o->letter);
    if (o->argument != NULL && o->kind != OPT_MAYBE)
        fputs(takes_file(o) ? " -r -F" : " -x", stdout);
    fputs(" -d '", stdout);
    put_quoted(o->help, "\\", "\\'");
    puts("'");
}

static void fish(void)
{
    puts("function __loam_is\n    set -l words (commandline -opc)\n"
         "    test (count $words) -ge 2; and contains -- $words[2] $argv\nend");
    puts("function __loam_bare\n    test (count (commandline -opc)) -eq 1\nend");
    puts("complete -c loam -n __loam_bare -f");
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *c = commands[i];
        printf("complete -c loam -n __loam_bare -a %s -d '", c->name);
        put_quoted(c->summary, "\\", "\\'");
        puts("'");
        for (size_t n = 0; n < c->options_count; n++)
            fish_option(c, &c->options[n]);
        printf("complete -c loam -n '__loam_is %s' -s h -l help -d 'this screen, or the manual'\n",
               c->name);
        if (c->stops)
            printf("complete -c loam -n '__loam_is %s' -a '(__fish_complete_subcommand "
                   "--fcs-skip=2)'\n",
                   c->name);
        if (strcmp(c->name, "help") != 0)
            continue;
        fputs("complete -c loam -n '__loam_is help' -f -a '", stdout);
        for (size_t n = 0; n < commands_count; n++)
            printf("%s%s", n == 0 ? "" : " ", commands[n]->name);
        puts("'");
    }
}

// ---------------------------------------------------------------- the command

static const struct shell {
    const char *name;
    void (*print)(void);
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

struct nothing {
    char none;
};

static int completion(const struct command *c, int argc, char **argv)
{
    struct nothing none;
    int n = opt_parse(c, argc, argv, &none);
    if (n < 0)
        return n == -1 ? 0 : EXIT_USAGE;
    const char *wanted = n == 0 ? "bash" : argv[argc - n];
    for (size_t i = 0; i < countof(shells) && n <= 1; i++) {
        if (strcmp(shells[i].name, wanted) == 0) {
            shells[i].print();
            return 0;
        }
    }
    say(c, "only bash, zsh and fish are known. Try 'loam completion -h'.");
    return EXIT_USAGE;
}

const struct command command_completion = {
    .name = "completion",
    .group = "learn",
    .summary = "a completion script for bash, zsh or fish",
    .synopsis = "[bash | zsh | fish]",
    .examples = {{"source <(loam completion bash)", "complete loam in this shell; zsh the same"},
                 {"loam completion fish | source", "the same in fish"}},
    .about = "To have it in every shell, write the output of 'loam completion bash' to "
             "~/.local/share/bash-completion/completions/loam, that of zsh to a file _loam in a "
             "folder of $fpath, that of fish to ~/.config/fish/completions/loam.fish.",
    .run = completion,
};
