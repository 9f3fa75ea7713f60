#include "runtime/instrument/module.h"

#include "base/leb128.h"

namespace runtime {
namespace {

using base::ByteReader;
using base::ByteSpan;
using base::Err;
using base::ReadUleb;
using base::Result;
using base::Status;

Result<uint32_t> U32(ByteReader& in) { return static_cast<uint32_t>(TRY(ReadUleb(in, 32))); }

Result<std::string> Name(ByteReader& in) {
  const uint32_t size = TRY(U32(in));
  return std::string(base::AsText(TRY(in.Take(size))));
}

Result<base::Bytes> ValueTypes(ByteReader& in) {
  const uint32_t count = TRY(U32(in));
  const ByteSpan types = TRY(in.Take(count));
  return base::Bytes(types.begin(), types.end());
}

struct Limits {
  bool is64;
  uint64_t min;
  std::optional<uint64_t> max;
};

Result<Limits> ReadLimits(ByteReader& in) {
  const uint8_t flags = TRY(in.U8());
  Limits limits{(flags & 4) != 0, TRY(ReadUleb(in)), std::nullopt};
  if (flags & 1) limits.max = TRY(ReadUleb(in));
  return limits;
}

Status ReadTypes(ByteReader& in, Module& m) {
  for (uint32_t left = TRY(U32(in)); left > 0; --left) {
    if (TRY(in.U8()) != 0x60) return Err("type section holds a type that is not a function");
    FuncType type;
    type.params = TRY(ValueTypes(in));
    type.results = TRY(ValueTypes(in));
    m.types.push_back(std::move(type));
  }
  return {};
}

Status ReadImportType(ByteReader& in, Module& m, Import& import) {
  switch (import.kind) {
    case ExternKind::kFunc:
      import.type_index = TRY(U32(in));
      ++m.imported_functions;
      return {};
    case ExternKind::kTable:
      TRY(in.U8());
      TRY(ReadLimits(in));
      break;
    case ExternKind::kMemory:
      TRY(ReadLimits(in));
      break;
    case ExternKind::kGlobal:
      TRY(in.Take(2));
      break;
    case ExternKind::kTag:
      return Err("module imports a tag");
  }
  ++m.imported_others;
  return {};
}

Status ReadImports(ByteReader& in, Module& m) {
  for (uint32_t left = TRY(U32(in)); left > 0; --left) {
    Import import{TRY(Name(in)), TRY(Name(in)), static_cast<ExternKind>(TRY(in.U8())), 0};
    TRY_STATUS(ReadImportType(in, m, import));
    m.imports.push_back(std::move(import));
  }
  return {};
}

Status ReadFunctions(ByteReader& in, Module& m) {
  for (uint32_t left = TRY(U32(in)); left > 0; --left) m.functions.push_back(TRY(U32(in)));
  return {};
}

Status ReadTables(ByteReader& in, Module& m, ByteSpan section) {
  m.tables = section;
  m.table_count = TRY(U32(in));
  for (uint32_t i = 0; i < m.table_count; ++i) {
    TRY(in.U8());
    m.table_minimums.push_back(TRY(ReadLimits(in)).min);
  }
  return {};
}

Status ReadMemories(ByteReader& in, Module& m) {
  if (TRY(U32(in)) == 0) return {};
  const Limits limits = TRY(ReadLimits(in));
  m.memory = MemoryType{limits.is64, limits.min, limits.max};
  return {};
}

Result<uint64_t> SkipConstExpr(ByteReader& in, bool& plain) {
  const uint8_t op = TRY(in.U8());
  uint64_t value = 0;
  plain = op == 0x41 || op == 0x42;
  switch (op) {
    case 0x41:
      value = static_cast<uint32_t>(TRY(base::ReadSleb(in, 32)));
      break;
    case 0x42:
      value = static_cast<uint64_t>(TRY(base::ReadSleb(in, 64)));
      break;
    case 0x43:
      TRY(in.Take(4));
      break;
    case 0x44:
      TRY(in.Take(8));
      break;
    case 0xd0:
      TRY(base::ReadSleb(in, 33));
      break;
    case 0x23:
    case 0xd2:
      TRY(U32(in));
      break;
    case 0xfd:
      TRY(U32(in));
      TRY(in.Take(16));
      break;
    default:
      return Err("constant expression with operator ", op);
  }
  if (TRY(in.U8()) != 0x0b) return Err("constant expression of more than one operator");
  return value;
}

Status ReadGlobals(ByteReader& in, Module& m, ByteSpan section) {
  m.globals_section = section;
  for (uint32_t left = TRY(U32(in)); left > 0; --left) {
    const uint8_t type = TRY(in.U8());
    m.globals.push_back({type, TRY(in.U8()) != 0});
    bool plain;
    TRY(SkipConstExpr(in, plain));
  }
  return {};
}

Status ReadExports(ByteReader& in, Module& m) {
  for (uint32_t left = TRY(U32(in)); left > 0; --left) {
    Export e{TRY(Name(in)), static_cast<ExternKind>(TRY(in.U8())), 0};
    e.index = TRY(U32(in));
    m.exports.push_back(std::move(e));
  }
  return {};
}

Result<Body> ReadBody(ByteSpan body) {
  ByteReader in(body);
  uint64_t locals = 0;
  for (uint32_t left = TRY(U32(in)); left > 0; --left) {
    locals += TRY(U32(in));
    TRY(in.U8());
  }
  return Body{body.subspan(0, in.position()), locals, body.subspan(in.position())};
}

Status ReadCode(ByteReader& in, Module& m) {
  const uint32_t count = TRY(U32(in));
  m.code_bytes = in.remaining();
  m.bodies.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t size = TRY(U32(in));
    m.bodies.push_back(TRY(ReadBody(TRY(in.Take(size)))));
  }
  return {};
}

Status ReadData(ByteReader& in, Module& m) {
  for (uint32_t left = TRY(U32(in)); left > 0; --left) {
    DataSegment segment{false, false, 0, {}};
    const uint32_t flags = TRY(U32(in));
    segment.active = flags != 1;
    if (flags == 2) TRY(U32(in));
    if (segment.active) segment.offset = TRY(SkipConstExpr(in, segment.plain_offset));
    const uint32_t size = TRY(U32(in));
    segment.bytes = TRY(in.Take(size));
    m.data.push_back(segment);
  }
  return {};
}

Status ReadSection(uint8_t id, ByteSpan section, Module& m) {
  ByteReader in(section);
  switch (id) {
    case 0: {
      std::string name = TRY(Name(in));
      m.custom.push_back({std::move(name), section.subspan(in.position())});
      return {};
    }
    case 1:
      return ReadTypes(in, m);
    case 2:
      return ReadImports(in, m);
    case 3:
      return ReadFunctions(in, m);
    case 4:
      return ReadTables(in, m, section);
    case 5:
      return ReadMemories(in, m);
    case 6:
      return ReadGlobals(in, m, section);
    case 7:
      return ReadExports(in, m);
    case 8:
      m.start = TRY(U32(in));
      return {};
    case 9:
      m.elements_section = section;
      m.element_count = TRY(U32(in));
      return {};
    case 10:
      return ReadCode(in, m);
    case 11:
      return ReadData(in, m);
    case 12:
      m.data_count = TRY(U32(in));
      return {};
    default:
      return Err("section with id ", id);
  }
}

}  // namespace

Result<Module> ReadModule(ByteSpan wasm) {
  ByteReader in(wasm);
  TRY(in.Take(8));  // magic and version
  Module m;
  while (!in.empty()) {
    const uint8_t id = TRY(in.U8());
    const uint32_t size = TRY(U32(in));
    TRY_STATUS(ReadSection(id, TRY(in.Take(size)), m));
  }
  return m;
}

}  // namespace runtime
