// judge.mjs - asks Perfetto's own trace_processor about a trace: an independent judge.
//
//   node judge.mjs ENGINE_DIR TRACE "SQL" ["SQL"...]     one line of JSON for each query: its rows
//
// ENGINE_DIR holds trace_processor.wasm and engine_bundle.node.js (fetch_engine.py). The bundle is
// written for a browser's worker: it is given a worker's scope, and refused 64-bit memory so that
// it picks the module that we have. It then speaks trace_processor's RPC: a byte stream of
// TraceProcessorRpc messages. Exit status 1: the trace or a query was rejected.
import fs from 'node:fs';
import path from 'node:path';

// ---- protobuf, as much as is needed ---------------------------------------------------------
function varint(n) {
	const out = [];
	let v = BigInt(n);
	for (; v > 127n; v >>= 7n)
		out.push(Number(v & 127n) | 128);
	out.push(Number(v));
	return Buffer.from(out);
}
const uint = (field, n) => Buffer.concat([varint(field << 3), varint(n)]);
const bytes = (field, b) => Buffer.concat([varint(field << 3 | 2), varint(b.length), b]);

function* fields(buf) {
	let at = 0;
	const next = () => {
		let v = 0n;
		for (let shift = 0n; ; shift += 7n) {
			const b = buf[at++];
			v |= BigInt(b & 127) << shift;
			if (b < 128)
				return v;
		}
	};
	while (at < buf.length) {
		const key = Number(next());
		switch (key & 7) {
		case 0: yield [key >> 3, next()]; break;
		case 1: yield [key >> 3, buf.subarray(at, at += 8)]; break;
		case 2: {
			const n = Number(next());
			yield [key >> 3, buf.subarray(at, at += n)];
			break;
		}
		case 5: yield [key >> 3, buf.subarray(at, at += 4)]; break;
		default: throw new Error(`wire type ${key & 7}`);
		}
	}
}
const one = (buf, field) => {
	for (const [f, v] of fields(buf))
		if (f === field)
			return v;
	return undefined;
};
function* varints(buf) {
	let v = 0n, shift = 0n;
	for (const b of buf) {
		v |= BigInt(b & 127) << shift;
		shift += 7n;
		if (b < 128) {
			yield BigInt.asIntN(64, v);
			v = shift = 0n;
		}
	}
}

// ---- the engine -----------------------------------------------------------------------------
const APPEND = 1, FINALIZE = 2, QUERY = 3;
const F_REQUEST = 2, F_RESPONSE = 3, F_FATAL = 5, F_DATA = 101, F_ARGS = 103, F_APPENDED = 201,
      F_RESULT = 203, F_FINALIZED = 221;

async function startEngine(dir) {
	const wasm = fs.readFileSync(path.join(dir, 'trace_processor.wasm'));
	const code = fs.readFileSync(path.join(dir, 'engine_bundle.node.js'), 'utf8');
	const self = { location: { href: 'http://localhost/' } };
	class Request {
		open() {}
		send() { this.response = wasm; }
	}
	function Module(binary) {
		if (binary.length < 64 && Buffer.from(binary).includes(Buffer.from([5, 3, 1, 4])))
			throw new WebAssembly.CompileError('64-bit memory is not offered');
		return new WebAssembly.Module(binary);
	}
	const assembly = Object.create(WebAssembly, { Module: { value: Module } });
	const quiet = { log() {}, warn() {}, error() {}, info() {}, debug() {} };
	new Function('self', 'WorkerGlobalScope', 'XMLHttpRequest', 'WebAssembly', 'console', 'process',
		     'require', 'module', 'exports', 'window', code)(
		self, function () {}, Request, assembly, quiet);
	await new Promise((done) => setImmediate(done));
	return self;
}

class TraceProcessor {
	constructor(scope) {
		this.replies = [];
		this.sequence = 0;
		this.port = { postMessage: (data) => this.replies.push(Buffer.from(data)) };
		scope.onmessage({ data: this.port });
	}

	// One request; returns the replies' TraceProcessorRpc messages.
	call(method, ...more) {
		const msg = Buffer.concat([uint(1, this.sequence++), uint(F_REQUEST, method), ...more]);
		this.replies = [];
		this.port.onmessage({ data: new Uint8Array(bytes(1, msg)) });
		const out = [];
		for (const [f, m] of fields(Buffer.concat(this.replies))) {
			const fatal = one(m, F_FATAL);
			if (fatal)
				throw new Error(fatal.toString());
			if (f === 1)
				out.push(m);
		}
		return out;
	}

	load(file) {
		const data = fs.readFileSync(file);
		const chunk = 16 << 20;
		for (let at = 0; at < data.length; at += chunk)
			this.check(this.call(APPEND, bytes(F_DATA, data.subarray(at, at + chunk))),
				   F_APPENDED, 2);
		this.check(this.call(FINALIZE), F_FINALIZED, 1);
	}

	check(replies, field, error) {
		for (const m of replies) {
			const result = one(m, field);
			const text = result && one(result, error);
			if (text && text.length)
				throw new Error(text.toString());
		}
	}

	query(sql) {
		const names = [], rows = [];
		let row = {}, column = 0;
		const put = (v) => {
			row[names[column++]] = v;
			if (column === names.length) {
				rows.push(row);
				row = {};
				column = 0;
			}
		};
		for (const m of this.call(QUERY, bytes(F_ARGS, bytes(1, Buffer.from(sql))))) {
			const result = one(m, F_RESULT);
			for (const [f, v] of fields(result ?? Buffer.alloc(0))) {
				if (f === 1)
					names.push(v.toString());
				else if (f === 2 && v.length)
					throw new Error(`${v}\nin: ${sql}`);
				else if (f === 3)
					this.batch(v, put);
			}
		}
		return rows;
	}

	batch(buf, put) {
		const cells = [], ints = [], floats = [], blobs = [];
		let strings = [];
		for (const [f, v] of fields(buf)) {
			if (f === 1)
				cells.push(...varints(v));
			else if (f === 2)
				ints.push(...varints(v));
			else if (f === 3)
				for (let at = 0; at < v.length; at += 8)
					floats.push(v.readDoubleLE(at));
			else if (f === 4)
				blobs.push(v.toString('hex'));
			else if (f === 5)
				strings = v.toString().split('\0');
		}
		let i = 0, d = 0, b = 0, s = 0;
		for (const kind of cells) {
			switch (Number(kind)) {
			case 1: put(null); break;
			case 2: put(ints[i++]); break;
			case 3: put(floats[d++]); break;
			case 4: put(strings[s++]); break;
			case 5: put(blobs[b++]); break;
			default: throw new Error(`cell type ${kind}`);
			}
		}
	}
}

const [dir, trace, ...queries] = process.argv.slice(2);
if (!queries.length) {
	console.error('usage: node judge.mjs ENGINE_DIR TRACE "SQL" ["SQL"...]');
	process.exit(2);
}
try {
	const tp = new TraceProcessor(await startEngine(dir));
	tp.load(trace);
	for (const sql of queries)
		console.log(JSON.stringify(tp.query(sql), (_, v) =>
			typeof v === 'bigint' ? (Number.isSafeInteger(Number(v)) ? Number(v) : `${v}`) : v));
} catch (e) {
	console.error(`judge: ${trace}: ${e.message}`);
	process.exitCode = 1;
}
