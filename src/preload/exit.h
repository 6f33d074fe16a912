// exit.h: noticing that the program ends in an orderly way.
#pragma once

// Register the handlers that must run last: call before anyone else can register one.
void exit_init(void);
