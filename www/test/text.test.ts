import { expect, it } from "vitest";
import { writeText } from "../src/lib/text";

it("changes the text in its node, which stays, and nothing where there is none", () => {
  const span = document.createElement("span");
  span.append("1:1.00");
  const node = span.firstChild;
  writeText(span, "1:2.50");
  expect(span.textContent).toBe("1:2.50");
  expect(span.firstChild).toBe(node);
  const empty = document.createElement("span");
  writeText(empty, "x");
  writeText(null, "x");
  expect(empty.childNodes).toHaveLength(0);
});
