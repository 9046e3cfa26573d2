// Verifies the request's bearer token: 204 with its subject and issuer as headers, or 401.
import fs from 'fs';

const ISSUER = '@ISSUER@';
const AUDIENCE = '@AUDIENCE@';
const RSA = {name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256'};

// Imported once, when the configuration is read: each request gets a copy of what the globals were then.
const pem = fs.readFileSync('@TOKENS@/public.pem').toString();
const imported = crypto.subtle.importKey('spki', Buffer.from(pem.replace(/-----[^-]+-----|\n/g, ''), 'base64'), RSA, false, ['verify']);

function part(text) {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
}

async function verified(authorization) {
    if (!authorization || !authorization.startsWith('Bearer ')) {
        return null;
    }
    const parts = authorization.slice(7).split('.');
    if (parts.length != 3 || part(parts[0]).alg != 'RS256') {
        return null;
    }
    const key = await imported;
    if (!await crypto.subtle.verify(RSA, key, Buffer.from(parts[2], 'base64url'), parts[0] + '.' + parts[1])) {
        return null;
    }
    const claims = part(parts[1]);
    const now = Date.now() / 1000;
    const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
    const good = claims.iss === ISSUER && audiences.includes(AUDIENCE) && claims.exp > now - 30 && !(claims.nbf > now + 30);
    return good ? claims : null;
}

async function token(r) {
    let claims = null;
    try {
        claims = await verified(r.headersIn['Authorization']);
    } catch (error) {
        // Refused, as any other bad token.
    }
    if (!claims) {
        r.return(401);
        return;
    }
    r.headersOut['X-Subject'] = claims.sub;
    r.headersOut['X-Issuer'] = claims.iss;
    r.return(204);
}

export default {token};
