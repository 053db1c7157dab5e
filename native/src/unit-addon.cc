// Compiles what speaks Node-API as one unit: most of the compiler's time goes into the headers that these files share.
#include "addon-engines.cc"
#include "addon-features.cc"
#include "addon-images.cc"
#include "addon-measuring.cc"
#include "addon-programs.cc"
#include "addon-weights.cc"
#include "callback.cc"
#include "host.cc"
