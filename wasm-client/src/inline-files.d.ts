/** A file as base64; build.mjs resolves it. */
declare module "inline:*" {
  const base64: string;
  export default base64;
}
