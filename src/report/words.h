// words.h: numbers as people read them. Each call writes into `out` and returns it.
//
// Sizes are decimal (1 kB = 1,000 bytes), with three digits: 999 B, 1.23 kB, 80.0 MB. Where the
// exact number matters it stands beside, with commas.
#pragma once

#include "base/base.h"

#include <stdio.h>

#define WORDS_SIZE 64

const char *words_size(char out[WORDS_SIZE], u64 bytes);
const char *words_count(char out[WORDS_SIZE], u64 n); // 1,234,567
// "1 block", "1,234 blocks"; `noun` takes an s.
const char *words_of(char out[WORDS_SIZE], u64 n, const char *noun);
const char *words_share(char out[WORDS_SIZE], u64 part, u64 whole); // "83 %", "<1 %"
const char *words_time(char out[WORDS_SIZE], u64 ns);               // "12 ms", "3.2 s", "2 min 5 s"
// "exit status 3", "SIGSEGV (segmentation fault)": a wait status.
const char *words_status(char out[WORDS_SIZE], u32 status);
const char *words_signal(int signal); // "SIGKILL"
// A size as people type it: 500, 4k, 1.5M, 2GB (decimal), 4KiB, 1MiB (binary). False if it is none.
bool words_read_size(const char *text, u64 *ret_bytes);
