import { measureFiles } from "../analysis/batch";
import { openFile } from "../app/input";

/** One file is to be heard; several are to be compared. */
export function openFiles(files: readonly File[]): void {
  if (files.length > 1) void measureFiles(files);
  else if (files[0]) void openFile(files[0]);
}
