export function ArrangeView() {
  return <p className="empty">…</p>;
}
