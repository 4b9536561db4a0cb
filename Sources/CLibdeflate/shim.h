// Nothing is changed: Swift sees libdeflate's functions as they are.
#pragma once
#include <libdeflate.h>
