//! Scripts of the WebAssembly specification (`*.wast`) as JSON: a list of commands, one object each,
//! with "line" and "type" (tests/wasm_testsuite_test.cc reads them).
use crate::bytes::{give, Bytes};
use std::fmt::Write;
use std::slice;
use wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

/// Commands as a JSON list, or {"error": reason}.
///
/// # Safety
/// `text` points to `len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn gpt2ic_wast_parse(text: *const u8, len: usize) -> Bytes {
    let json = match std::str::from_utf8(slice::from_raw_parts(text, len)) {
        Ok(text) => commands(text).unwrap_or_else(|e| error(&e.to_string())),
        Err(_) => error("not UTF-8"),
    };
    give(json.into_bytes())
}

fn error(reason: &str) -> String {
    format!("{{\"error\":{}}}", quoted(reason))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => write!(out, "\\u{:04x}", c as u32).unwrap(),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn commands(text: &str) -> Result<String, wast::Error> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let script = parser::parse::<Wast>(&buffer)?;
    let mut out = Vec::new();
    for directive in script.directives {
        let line = directive.span().linecol_in(text).0 + 1;
        out.push(format!("{{\"line\":{line},{}}}", command(directive)));
    }
    Ok(format!("[{}]", out.join(",\n")))
}

/// "wasm": hex, or "unparsable": reason.
fn module(mut wat: QuoteWat) -> String {
    let name = wat.name().map(|id| id.name().to_string()).unwrap_or_default();
    match wat.encode() {
        Ok(bytes) => format!("\"name\":{},\"wasm\":\"{}\"", quoted(&name), hex(&bytes)),
        Err(e) => format!("\"name\":{},\"unparsable\":{}", quoted(&name), quoted(&e.to_string())),
    }
}

fn command(directive: WastDirective) -> String {
    match directive {
        WastDirective::Module(wat) => format!("\"type\":\"module\",{}", module(wat)),
        WastDirective::ModuleDefinition(wat) => format!("\"type\":\"definition\",{}", module(wat)),
        WastDirective::AssertMalformed { module: wat, .. } => {
            format!("\"type\":\"malformed\",{}", module(wat))
        }
        WastDirective::AssertInvalid { module: wat, .. } => {
            format!("\"type\":\"invalid\",{}", module(wat))
        }
        WastDirective::AssertUnlinkable { module: wat, .. } => {
            format!("\"type\":\"unlinkable\",{}", module(QuoteWat::Wat(wat)))
        }
        WastDirective::Register { name, module, .. } => format!(
            "\"type\":\"register\",\"as\":{},\"module\":{}",
            quoted(name),
            quoted(module.map_or("", |id| id.name()))
        ),
        WastDirective::Invoke(call) => format!("\"type\":\"action\",{}", invoke(call)),
        WastDirective::AssertTrap { exec, message, .. } => {
            format!("\"type\":\"trap\",\"text\":{},{}", quoted(message), execute(exec))
        }
        WastDirective::AssertExhaustion { call, message, .. } => {
            format!("\"type\":\"exhaustion\",\"text\":{},{}", quoted(message), invoke(call))
        }
        WastDirective::AssertReturn { exec, results, .. } => {
            let values: Vec<String> = results.iter().map(result).collect();
            format!("\"type\":\"return\",\"expected\":[{}],{}", values.join(","), execute(exec))
        }
        _ => "\"type\":\"other\"".to_string(),
    }
}

fn execute(exec: WastExecute) -> String {
    match exec {
        WastExecute::Invoke(call) => invoke(call),
        WastExecute::Wat(wat) => format!("\"action\":\"module\",{}", module(QuoteWat::Wat(wat))),
        WastExecute::Get { module, global, .. } => format!(
            "\"action\":\"get\",\"module\":{},\"field\":{}",
            quoted(module.map_or("", |id| id.name())),
            quoted(global)
        ),
    }
}

fn invoke(call: WastInvoke) -> String {
    let args: Vec<String> = call.args.iter().map(argument).collect();
    format!(
        "\"action\":\"invoke\",\"module\":{},\"field\":{},\"args\":[{}]",
        quoted(call.module.map_or("", |id| id.name())),
        quoted(call.name),
        args.join(",")
    )
}

/// A value as its bits, little-endian, in hex.
fn value(kind: &str, bytes: &[u8]) -> String {
    format!("{{\"type\":\"{kind}\",\"bits\":\"{}\"}}", hex(bytes))
}

fn argument(arg: &WastArg) -> String {
    match arg {
        WastArg::Core(WastArgCore::I32(v)) => value("i32", &v.to_le_bytes()),
        WastArg::Core(WastArgCore::I64(v)) => value("i64", &v.to_le_bytes()),
        WastArg::Core(WastArgCore::F32(v)) => value("f32", &v.bits.to_le_bytes()),
        WastArg::Core(WastArgCore::F64(v)) => value("f64", &v.bits.to_le_bytes()),
        WastArg::Core(WastArgCore::V128(v)) => value("v128", &v.to_le_bytes()),
        WastArg::Core(WastArgCore::RefExtern(v)) => value("externref", &v.to_le_bytes()),
        WastArg::Core(WastArgCore::RefNull(_)) => value("null", &[]),
        _ => value("other", &[]),
    }
}

fn lane32(pattern: &NanPattern<wast::token::F32>) -> String {
    match pattern {
        NanPattern::CanonicalNan => "\"nan:canonical\"".to_string(),
        NanPattern::ArithmeticNan => "\"nan:arithmetic\"".to_string(),
        NanPattern::Value(v) => format!("\"{}\"", hex(&v.bits.to_le_bytes())),
    }
}

fn lane64(pattern: &NanPattern<wast::token::F64>) -> String {
    match pattern {
        NanPattern::CanonicalNan => "\"nan:canonical\"".to_string(),
        NanPattern::ArithmeticNan => "\"nan:arithmetic\"".to_string(),
        NanPattern::Value(v) => format!("\"{}\"", hex(&v.bits.to_le_bytes())),
    }
}

fn lanes(kind: &str, lanes: Vec<String>) -> String {
    format!("{{\"type\":\"{kind}\",\"lanes\":[{}]}}", lanes.join(","))
}

fn whole(bytes: impl Iterator<Item = u8>) -> String {
    value("v128", &bytes.collect::<Vec<u8>>())
}

fn vector(pattern: &V128Pattern) -> String {
    match pattern {
        V128Pattern::I8x16(v) => whole(v.iter().flat_map(|x| x.to_le_bytes())),
        V128Pattern::I16x8(v) => whole(v.iter().flat_map(|x| x.to_le_bytes())),
        V128Pattern::I32x4(v) => whole(v.iter().flat_map(|x| x.to_le_bytes())),
        V128Pattern::I64x2(v) => whole(v.iter().flat_map(|x| x.to_le_bytes())),
        V128Pattern::F32x4(v) => lanes("f32x4", v.iter().map(lane32).collect()),
        V128Pattern::F64x2(v) => lanes("f64x2", v.iter().map(lane64).collect()),
    }
}

fn result(ret: &WastRet) -> String {
    match ret {
        WastRet::Core(core) => core_result(core),
        #[allow(unreachable_patterns)]
        _ => value("other", &[]),
    }
}

fn core_result(ret: &WastRetCore) -> String {
    match ret {
        WastRetCore::I32(v) => value("i32", &v.to_le_bytes()),
        WastRetCore::I64(v) => value("i64", &v.to_le_bytes()),
        WastRetCore::F32(pattern) => lanes("f32", vec![lane32(pattern)]),
        WastRetCore::F64(pattern) => lanes("f64", vec![lane64(pattern)]),
        WastRetCore::V128(pattern) => vector(pattern),
        WastRetCore::RefNull(_) => value("null", &[]),
        WastRetCore::RefExtern(Some(v)) => value("externref", &v.to_le_bytes()),
        WastRetCore::RefFunc(_) => value("funcref", &[]),
        WastRetCore::Either(options) => {
            let all: Vec<String> = options.iter().map(core_result).collect();
            format!("{{\"type\":\"either\",\"options\":[{}]}}", all.join(","))
        }
        _ => value("other", &[]),
    }
}
