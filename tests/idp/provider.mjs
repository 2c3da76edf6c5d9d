// A real OpenID provider for the end-to-end tests: `node provider.mjs MODULES`, where MODULES is the folder that holds
// oidc-provider's node_modules. It prints one line of JSON, `{"issuer": …}`, once it serves; then it reads commands from
// standard input, a word a line, and answers each with a line of JSON. It ends with its standard input.
//
// Clients: `worker`, `other` (client credentials; resource `urn:countersign` gives a JWT access token for the audience
// `countersign`), and `app` (CIBA: every person consents at once, and the answer has an ID token too).

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { generateKeyPair, randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const RESOURCE = 'urn:countersign';
const GROUPS = { worker: ['workers'], other: [], ada: ['approvers'] };

// Standard output is for answers alone; what the provider remarks goes to standard error.
console.info = console.warn = console.log = console.error;

const entry = `${process.argv[2]}/node_modules/oidc-provider/lib/index.js`;
const { default: Provider } = await import(pathToFileURL(entry));

async function key() {
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return { ...pair.privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' };
}

function provider(issuer, jwk) {
  const made = new Provider(issuer, {
    jwks: { keys: [jwk] },
    cookies: { keys: [randomUUID()] },
    clients: [client('worker'), client('other'), ciba('app')],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, groups: GROUPS[id] ?? [] }) }),
    extraTokenClaims: (_, token) => ({ groups: GROUPS[token.accountId ?? token.clientId] ?? [] }),
    claims: { openid: ['sub', 'groups'] },
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'call',
          audience: 'countersign',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
      ciba: {
        enabled: true,
        processLoginHint: (_, hint) => hint,
        verifyUserCode: () => undefined,
        validateBindingMessage: () => undefined,
        validateRequestContext: () => undefined,
        triggerAuthenticationDevice: async (_, request) => {
          const grant = new made.Grant({ clientId: request.clientId, accountId: request.accountId });
          grant.addOIDCScope('openid');
          grant.addResourceScope(RESOURCE, 'call');
          await grant.save();
          await made.backchannelResult(request, grant);
        },
      },
    },
  });
  return made;
}

function client(name) {
  return {
    client_id: name,
    client_secret: `${name}-secret`,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: 'ES256',
  };
}

function ciba(name) {
  return {
    ...client(name),
    grant_types: ['urn:openid:params:grant-type:ciba'],
    backchannel_token_delivery_mode: 'poll',
  };
}

let serve;
const server = createServer((request, response) => serve(request, response));
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const renew = async () => {
  serve = provider(issuer, await key()).callback();
};
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

await renew();
say({ issuer });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rotate') {
    await renew();
    say({ rotated: true });
  } else {
    say({ error: `no such command: ${line}` });
  }
}
process.exit(0);
