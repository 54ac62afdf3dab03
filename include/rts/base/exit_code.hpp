// What the process says when it ends; sysexits where they fit.
#pragma once

namespace rts {

enum class ExitCode : int {
  ok = 0,
  different = 1,       // replay --expect, provision --dry-run: differences; health: not well
  usage = 64,          // the command line makes no sense
  bad_input = 65,      // a file is unreadable, truncated or no recording
  unavailable = 69,    // something outside is not there (health: no answer; the port is taken)
  internal = 70,       // a bug
  output_lost = 74,    // standard output, standard error or a file could not be written
  configuration = 78,  // a setting is wrong
};

}  // namespace rts
