/* cases: not written yet. */
#include "otway/cases.h"
