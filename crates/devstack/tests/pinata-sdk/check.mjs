// Uses the local pin server through Pinata's own SDK. Wants PINATA_API_URL, PINATA_UPLOADS_URL, PINATA_API_KEY and
// IPFS_GATEWAYS as `.devstack/env` has them; says what it did and ends with a non-zero code where something is wrong.
import assert from "node:assert/strict";
import { PinataSDK } from "pinata";

const { PINATA_API_URL, PINATA_UPLOADS_URL, PINATA_API_KEY, IPFS_GATEWAYS } = process.env;
const gateway = IPFS_GATEWAYS.split(",")[0].replace(/\/+$/, "").replace(/\/ipfs$/, "");
const options = { endpointUrl: `${PINATA_API_URL}/v3`, uploadUrl: `${PINATA_UPLOADS_URL}/v3` };
const pinata = new PinataSDK({ ...options, pinataJwt: PINATA_API_KEY });
// The SDK itself reads through https gateways only.
const read = (cid) => fetch(`${gateway}/ipfs/${cid}`);

assert.match((await pinata.testAuthentication()).message, /Congratulations/);

const text = `checked by Pinata's SDK in process ${process.pid}`;
const file = new File([text], "note.txt", { type: "text/plain" });
const first = await pinata.upload.public.file(file).name("a note").keyvalues({ of: "mintfleet" });
assert.match(first.cid, /^bafkrei/);
assert.equal(first.size, text.length);
assert.equal(first.mime_type, "text/plain");

const again = await pinata.upload.public.file(file);
assert.equal(again.id, first.id);
assert.equal(again.is_duplicate, true);

const json = await pinata.upload.public.json({ hello: "mintfleet", process: process.pid }).name("greeting.json");
assert.deepEqual(await (await read(json.cid)).json(), { hello: "mintfleet", process: process.pid });
assert.equal(await (await read(first.cid)).text(), text);

const large = await pinata.upload.public.file(new File([new Uint8Array(300_000)], "zeros.bin"));
assert.match(large.cid, /^bafybei/);

const found = await pinata.files.public.list().cid(first.cid);
assert.deepEqual(found.files.map(({ id }) => id), [first.id]);
assert.deepEqual(found.files[0].keyvalues, { of: "mintfleet" });
const paged = [];
for await (const one of pinata.files.public.list().limit(1)) paged.push(one.id);
for (const { id } of [first, json, large]) assert.ok(paged.includes(id));

assert.equal((await pinata.files.public.get(first.id)).cid, first.cid);
assert.equal((await pinata.files.public.update({ id: first.id, name: "renamed" })).name, "renamed");
const gone = await pinata.files.public.delete([first.id, json.id, large.id]);
assert.deepEqual(gone.map(({ status }) => status), ["OK", "OK", "OK"]);
assert.equal((await read(first.cid)).status, 404);

const stranger = new PinataSDK({ ...options, pinataJwt: "somebody else's" });
await assert.rejects(async () => await stranger.upload.public.file(file), { name: "AuthenticationError" });

console.log("Pinata's SDK is content: authentication, uploads, duplicates, gateway, listing, pages, update, delete");
