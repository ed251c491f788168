interface ChoiceProps<T extends string | number> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, text: string])[];
  onChange: (value: T) => void;
  testId?: string;
}

/** One of a few, in the head of a panel. */
export function Choice<T extends string | number>({ label, value, options, onChange, testId }: ChoiceProps<T>) {
  return (
    <select
      className="select"
      aria-label={label}
      title={label}
      data-testid={testId}
      value={value}
      onChange={({ target }) => {
        const chosen = options.find(([it]) => String(it) === target.value);
        if (chosen) onChange(chosen[0]);
      }}
    >
      {options.map(([it, text]) => (
        <option key={it} value={it}>
          {text}
        </option>
      ))}
    </select>
  );
}
