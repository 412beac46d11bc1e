#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a program knows stands in its manual: every verb and option of the
command, every section and key of a configuration file.

A row names the source, what in it is a word people type, and the manual page
that must hold it. A word counts when the page has it as a word of its own, so
`for` of a sentence does not stand for the option --for.
"""
import os
import re
import sys

import source
from tap import Tap, expect

# name of the case, source, expression whose group 1 is the word, written as, pages
ROWS = (
    ("verbs", "src/cli/verbs.c", r'^\t\{ "([a-z]+)",', "{}", ("man/tenforward.1.scd",)),
    ("options", "src/cli/options.c", r'^\t\[CLI_\w+\] = \{ (?:0|\'\w\'), "([a-z-]+)",', "--{}",
     ("man/tenforward.1.scd",)),
    ("findings", "src/cli/steps.c", r'^\t\[FOUND_\w+\] = "([a-z-]+)",', "{}",
     ("man/tenforward.1.scd",)),
    ("gateway_keys", "src/gateway/config-keys.c", r'^\t\{ "([A-Z]\w+)"', "{}=",
     ("man/tenforward-gateway.conf.5.scd", "data/gateway.conf")),
    ("agent_keys", "src/agent/config-keys.c", r'^\t\{ CONFIG_IN_\w+, "([A-Z]\w+)"', "{}=",
     ("man/tenforward-agent.conf.5.scd",)),
)


def words_of(text, expression):
    return sorted(set(re.findall(expression, text, re.MULTILINE)))


def has_word(page, word):
    """scdoc marks words with * and _ and escapes with a backslash. Behind the
    equals sign of a key its value may follow."""
    plain = re.sub(r"[*_\\]", "", page)
    end = "" if word.endswith("=") else r"(?![\w-])"
    return re.search(rf"(?<![\w-]){re.escape(word.replace('_', ''))}{end}", plain) is not None


def judge(words, written_as, page_name, page):
    return [f"{written_as.format(word)}: not in {page_name}" for word in words
            if not has_word(page, written_as.format(word))]


def lost_letters(page):
    """A backslash makes scdoc print the letter behind it: \\n is told as \\\\n."""
    return [f"line {at}: {line}" for at, line in enumerate(page.splitlines(), 1)
            if re.search(r"(?<!\\)(?:\\\\)*\\[a-zA-Z]", line)]


def self_test():
    page = "*add* _MAPPING_...\n*--on-change* _CMD_\n\tfor a time\n*MaxLifetime=*\n*--json-lines*"
    return (expect("there", judge(["add"], "{}", "p", page), []) +
            expect("option", judge(["on-change", "for", "json"], "--{}", "p", page),
                   ["--for: not in p", "--json: not in p"]) +
            expect("letters", lost_letters("a\\_b \\\\n\nprintf '\\n'"), ["line 2: printf '\\n'"]) +
            expect("key", judge(["MaxLifetime", "Max"], "{}=", "p", page), ["Max=: not in p"]) +
            expect("words", words_of('x\n\t{ "add", "a" },\n\t{ "b", 1 },\n', r'^\t\{ "([a-z]+)",'),
                   ["add", "b"]))


def is_there(name):
    return os.path.exists(os.path.join(source.ROOT, name))


def main():
    tap = Tap()
    tap.case("a_word_the_manual_lacks_is_caught", self_test())
    for subject, name, expression, written_as, pages in ROWS:
        if not is_there(name):
            tap.skip(f"all_{subject}_stand_in_the_manual", f"{name} is not there")
            continue
        words = words_of(source.read(name), expression)
        for page in pages:
            problems = [] if words else [f"{name}: no words found; has the table moved?"]
            if is_there(page):
                problems += judge(words, written_as, page, source.read(page))
            else:
                problems.append(f"{page}: not there")
            stem = re.sub(r"\W", "_", os.path.basename(page))
            tap.case(f"all_{subject}_stand_in_{stem}", problems)
    pages = [f"man/{name}" for name in sorted(os.listdir(os.path.join(source.ROOT, "man")))
             if name.endswith(".scd")]
    tap.case("no_example_loses_its_backslashes",
             [f"{page}: {told}" for page in pages for told in lost_letters(source.read(page))])
    tap.done()


if __name__ == "__main__":
    sys.exit(main())
