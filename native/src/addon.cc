// Opens the addon to JavaScript: src/engine/native/addon.ts says what its functions take and give.
//
// The other addon-*.cc hold them. All state hangs on handles, so that any number of worker threads may load the addon. No function trusts
// its arguments: what could corrupt memory is refused, and no failure ends the process.
#include "functions.h"

NAPI_MODULE_INIT() {
  try {
    plumage::defineEngines(env, exports);
    plumage::defineWeights(env, exports);
    plumage::definePrograms(env, exports);
    plumage::defineImages(env, exports);
    plumage::defineMeasuring(env, exports);
    plumage::defineFeatures(env, exports);
    plumage::defineSearch(env, exports);
    plumage::defineLocking(env, exports);
  } catch (...) {
    plumage::throwToJavaScript(env);
  }
  return exports;
}
