// status.h: what /proc tells of a process as a whole: name, family, sizes, page faults.
#pragma once

#include "base/base.h"

#include <stdio.h>
#include <sys/types.h>

struct status {
    pid_t pid, ppid;
    char name[64];     // fit for a terminal
    char command[256]; // argv joined by blanks; the name in brackets if there is none
    u32 threads;
    bool has_memory; // a thread of the kernel and a zombie have none
    u64 size, size_peak;
    u64 rss, rss_peak, rss_anon, rss_file, rss_shmem;
    u64 swap, locked, page_tables, hugetlb;
    u64 minor, major;  // page faults: served from RAM, and by the disk
    u64 age_ns;        // since its start
    bool thp_disabled; // prctl(PR_SET_THP_DISABLE)
};

// 0, -ESRCH, -EACCES or what open said.
int status_load(struct status *ret, pid_t pid);
// The word in brackets of a switch of transparent huge pages ("enabled", "defrag"); "" if none.
const char *status_thp(const char *what, char ret_word[32]);
// Names of threads: that of `tid`, "" if it is gone.
const char *status_thread_name(pid_t pid, pid_t tid, char ret_name[32]);

// Every process that is `root` or descends from it, the root first, each behind its parent.
struct family {
    struct status *member;
    u32 *depth; // 0: the root
    size_t count;
};
// 0, -ESRCH or -ENOMEM.
int family_load(struct family *f, pid_t root);
void family_done(struct family *f);

// The pid that a command's operand means: a number, or "self". 0 if it is neither.
pid_t status_pid(const char *text);
