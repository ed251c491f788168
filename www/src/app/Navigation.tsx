import { hrefOf, useView, VIEWS } from "./views";

/** The way from one view to another. */
export function Navigation() {
  const view = useView();
  return (
    <nav className="nav" aria-label="Views">
      {VIEWS.map(({ id, label, key }) => (
        <a
          key={id}
          className="nav-link"
          href={hrefOf(id)}
          aria-current={view === id ? "page" : undefined}
          title={`${label} (${key})`}
          data-testid={`view-${id}`}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}
