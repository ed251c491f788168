import { useQuery } from "@tanstack/react-query";
import type { CompositionSummary } from "antiphon";
import { type ChangeEvent, useId, useState } from "react";
import { useIsLive, useSession } from "../app/hooks";
import { notify, notifyError } from "../app/notices";
import { formatTime } from "../lib/format";
import { Icon } from "../ui/Icon";
import { refreshShelf, type Shelf, shelfKey, shelfOf } from "./shelf";

/** All compositions of the shown source. */
export function CompositionsView() {
  const mode = useSession((state) => state.mode);
  const playing = useSession((state) => state.composition?.id);
  const isLive = useIsLive();
  const shelf = shelfOf(mode);
  const { data, error } = useQuery({ queryKey: [...shelfKey(mode), playing], queryFn: shelf.list, refetchInterval: 4000 });
  const [isBusy, setBusy] = useState(false);
  const disabled = isBusy || !isLive;

  const doing = (title: string, run: () => Promise<unknown>) => {
    setBusy(true);
    run()
      .catch((thrown: unknown) => notifyError(title, thrown, "Try again."))
      .finally(() => {
        setBusy(false);
        void refreshShelf();
      });
  };
  const remove = (one: CompositionSummary) =>
    doing(`${one.name} was not deleted`, async () => {
      const spec = await shelf.get(one.id);
      await shelf.remove(one.id);
      const putBack = async () => {
        await shelf.restore(spec);
        if (one.loaded) await shelf.open(spec.id);
      };
      notify("info", `${one.name} was deleted`, "", { label: "Undo", run: () => doing(`${one.name} was not put back`, putBack) });
    });

  return (
    <div className="compositions" aria-busy={isBusy}>
      <div className="toolbar">
        <h2>{mode === "server" ? "On the server" : "In this browser"}</h2>
        <button
          type="button"
          className="button primary toolbar-end"
          disabled={disabled}
          data-testid="new-composition"
          onClick={() => doing("The composition was not made", () => shelf.create(freeName(data ?? [])))}
        >
          <Icon name="plus" />
          New
        </button>
        <ImportButton disabled={disabled} onFiles={(files) => doing("The import failed", () => importAll(shelf, files))} />
      </div>
      {error && isLive && <p className="empty">The list is not known: {error.message}</p>}
      {!data && !(error && isLive) && <p className="empty">{isLive ? "The list is being fetched." : "The list comes when the server answers."}</p>}
      {data?.length === 0 && <p className="empty">Nothing is kept here yet. Make a new composition, or drop a MIDI or audio file on this page.</p>}
      <ul className="composition-list" data-testid="composition-list">
        {data?.map((one) => (
          <Row
            key={one.id}
            one={one}
            disabled={disabled}
            onOpen={() => doing(`${one.name} was not opened`, () => shelf.open(one.id))}
            onRename={(name) => doing(`${one.name} was not renamed`, () => shelf.rename(one.id, name))}
            onRemove={() => remove(one)}
          />
        ))}
      </ul>
      {data && data.length > 0 && <p className="hint">MIDI and audio files that are dropped on this page become compositions, too.</p>}
    </div>
  );
}

/** `Untitled`, or the first `Untitled n` that is not taken. */
function freeName(list: readonly CompositionSummary[]): string {
  const names = new Set(list.map(({ name }) => name));
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? "Untitled" : `Untitled ${number}`;
    if (!names.has(name)) return name;
  }
}

async function importAll(shelf: Shelf, files: readonly File[]): Promise<void> {
  for (const file of files) await shelf.import(file);
}

function ImportButton({ disabled, onFiles }: { disabled: boolean; onFiles: (files: File[]) => void }) {
  const id = useId();
  const onChange = (event: ChangeEvent<HTMLInputElement>) => {
    const files = [...(event.target.files ?? [])];
    event.target.value = "";
    if (files.length > 0) onFiles(files);
  };
  return (
    <>
      <input
        id={id}
        className="visually-hidden"
        type="file"
        multiple
        accept="audio/*,.mid,.midi,.flac,.wav,.mp3,.ogg"
        disabled={disabled}
        data-testid="import"
        onChange={onChange}
      />
      <label className="button" htmlFor={id} title="MIDI and audio files become compositions">
        <Icon name="file" />
        <span>Import</span>
      </label>
    </>
  );
}

interface RowProps {
  one: CompositionSummary;
  disabled: boolean;
  onOpen: () => void;
  onRename: (name: string) => void;
  onRemove: () => void;
}

function Row({ one, disabled, onOpen, onRename, onRemove }: RowProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const commit = () => {
    const name = draft?.trim().slice(0, 200);
    setDraft(null);
    if (name === "") notify("info", `${one.name} keeps its name`, "A composition needs one.");
    if (name && name !== one.name) onRename(name);
  };
  return (
    <li className="composition" data-loaded={one.loaded} data-testid="composition-row">
      {draft === null ? (
        <span className="composition-title">{one.name}</span>
      ) : (
        <input
          className="text-field composition-title"
          aria-label={`New name of ${one.name}`}
          value={draft}
          maxLength={200}
          autoFocus
          data-testid="rename-field"
          onFocus={(event) => event.target.select()}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={commit}
          onKeyDown={(event) => {
            if (event.key === "Enter") commit();
            if (event.key === "Escape") setDraft(null);
          }}
        />
      )}
      <small>
        {one.n_tracks} {one.n_tracks === 1 ? "track" : "tracks"}, {formatTime(Math.round(one.seconds)).replace(/\.\d+$/, "")}
      </small>
      {one.loaded && <small className="badge">Loaded</small>}
      <button type="button" className="button" disabled={disabled || one.loaded} aria-label={`Open ${one.name}`} onClick={onOpen}>
        Open
      </button>
      <button type="button" className="button" disabled={disabled} aria-label={`Rename ${one.name}`} onClick={() => setDraft(one.name)}>
        Rename
      </button>
      <button type="button" className="button icon-button" disabled={disabled} aria-label={`Delete ${one.name}`} onClick={onRemove}>
        <Icon name="trash" />
      </button>
    </li>
  );
}
