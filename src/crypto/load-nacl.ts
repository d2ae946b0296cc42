/** Loads tweetnacl on demand, because most hubs never sign, seal or verify data. */
export async function loadNacl() {
  const { default: nacl } = await import('tweetnacl');
  return nacl;
}
