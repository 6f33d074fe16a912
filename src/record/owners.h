// owners.h: the named owners of memory, written into the recording when the process ends.
#pragma once

// Look at owners from now on; before threads.
void owners_watch(void);
// Write what they held; once a process.
void owners_write(void);
