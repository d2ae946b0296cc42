/** tweetnacl, when something is signed, sealed or looked at: a hub that does none of it does not load it. */
export async function loadNacl() {
  const { default: nacl } = await import('tweetnacl');
  return nacl;
}
