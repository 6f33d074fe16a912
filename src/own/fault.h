// fault.h: what the toolkit knows of a fault.
#pragma once

// For fault_watch (os/fault.h): a stack of a task that overflowed, memory of a region that is gone.
// Tells and ends the program; returns when it knows nothing.
void own_fault(const void *at);
