/** Judges the name of a folder that a model lies in, within a repository or a folder. */

/** Holds of a folder within a repository: none may lead out of it. */
const SUBFOLDER = /^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*$/

/** Throws RangeError for what is no folder within a model's place, and for any folder of a model that has none. */
export function checkSubfolder(subfolder: string | undefined, hasFolders: boolean): void {
  if (subfolder === undefined) return
  if (typeof subfolder !== 'string' || !SUBFOLDER.test(subfolder)) {
    throw new RangeError(
      `The option subfolder is ${JSON.stringify(subfolder)}; it names a folder within a repository, such as encoder or a/b.`,
    )
  }
  if (!hasFolders)
    throw new RangeError(
      'The option subfolder names a folder within a repository of Hugging Face or within a folder, and the model is neither: leave it out.',
    )
}
