/**
 * Lets the declarations of this package be read in a project that loads neither Node's types nor the web's (`types: []`, a `lib` without DOM): what
 * they name is there, and is what those types say wherever they are loaded.
 */
/// <reference lib="esnext.disposable" preserve="true" />
declare global {
  interface AbortSignal {}
}

export {}
