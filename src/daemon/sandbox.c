/* sandbox: not written yet. */
#include "sandbox.h"
