import { measureFiles } from "../analysis/batch";
import { openFile } from "../app/input";
import { notify } from "../app/notices";

/** One file is to be heard; several are to be compared. */
export function openFiles(files: readonly File[]): void {
  if (files.length > 1) void measureFiles(files);
  else if (files[0]?.size === 0) notify("error", `${files[0].name} is empty`, "Choose another file.");
  else if (files[0]) void openFile(files[0]);
}
