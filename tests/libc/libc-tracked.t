#!/bin/sh
# See run.
exec "$(dirname "$0")/run" tracked
