export function CompositionsView() {
  return <p className="empty">…</p>;
}
