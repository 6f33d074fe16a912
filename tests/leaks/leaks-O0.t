#!/bin/sh
# See compare.
exec "$(dirname "$0")/compare" -O0
