// Answers whether @sigstore/verify takes bundles that scalegate made, with a key and no certificate, log or timestamp.
// The first argument is the folder with `node_modules`. Reads a JSON list of {bundle, hint, spki} from standard input
// (`spki` is the key as SubjectPublicKeyInfo in base64) and writes a JSON list of answers: "ok", or why not.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.argv[2], 'none.js'));
const { bundleFromJSON } = require('@sigstore/bundle');
const { toSignedEntity, toTrustMaterial, Verifier } = require('@sigstore/verify');

const ROOT = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const THRESHOLDS = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };

const answer = ({ bundle, hint, spki }) => {
  const trust = toTrustMaterial(ROOT, { [hint]: { rawBytes: Buffer.from(spki, 'base64') } });
  try {
    new Verifier(trust, THRESHOLDS).verify(toSignedEntity(bundleFromJSON(JSON.parse(bundle))));
    return 'ok';
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};

console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(answer)));
