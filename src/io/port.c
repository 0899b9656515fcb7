/* port: not written yet. */
#include "otway/port.h"
