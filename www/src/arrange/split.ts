/** Cuts the selected clip in two where the playhead stands. */
import { notify } from "../app/notices";
import { session } from "../app/session";
import { edit, shownComposition } from "../edit/editor";
import { splitClip } from "../edit/model";
import { select, selection } from "../edit/selection";
import { PPQ } from "../lib/bars";
import { newId } from "../lib/ids";

export function splitAtPlayhead(): void {
  const { source } = session.getState();
  const beats = (source.playhead() ?? source.latest("transport"))?.position_beats;
  const clip = selection().clip;
  if (!clip || beats === undefined) return notify("info", "No clip is selected", "Select the one to split first.");
  const id = newId();
  if (edit(splitClip(clip, beats * PPQ, id))) return select({ clip: id });
  if (shownComposition()) notify("info", "The playhead is not inside the clip", "Move it to where the clip shall be split.");
}
