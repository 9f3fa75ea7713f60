#ifndef GPT2IC_CANDID_TEXT_H_
#define GPT2IC_CANDID_TEXT_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "candid/type.h"
#include "candid/value.h"

namespace candid {

// The text form of values: ("hello", 42, record { a = opt 1 : opt nat8 }). An unannotated number is
// an int, or a float64 when it has a point or an exponent; Coerce brings it to the type it is meant
// for. `labels`, when given, collects the names of fields. Natively only: it reads floats.
base::Result<std::vector<Value>> ParseArgs(std::string_view text,
                                           std::map<FieldId, std::string>* labels = nullptr);

// The values of a text at the types of a method: what ParseArgs and CoerceArgs make.
base::Result<std::vector<Value>> ParseArgsAt(std::string_view text, const TypeTable& table,
                                             std::span<const TypeRef> types);

// The message of a text, at the types of a method, or at those the text itself shows.
base::Result<base::Bytes> EncodeText(std::string_view text, const TypeTable& table,
                                     std::span<const TypeRef> types);
base::Result<base::Bytes> EncodeText(std::string_view text);

// As dfx prints: (42 : nat8, "x", record { a = null }), broken into lines when it is wider than 80
// columns. Fields whose names `labels` does not have are printed by id.
std::string PrintArgs(std::span<const Value> values, const std::map<FieldId, std::string>& labels);
std::string PrintValue(const Value& value, const std::map<FieldId, std::string>& labels);

// A name as the grammar wants it: bare, or quoted when it is no identifier.
std::string QuotedName(std::string_view name);
std::string QuotedText(std::string_view text);
std::string PrintLabel(FieldId id, const std::map<FieldId, std::string>& labels);

// text_native.cc
base::Result<double> ParseFloat(std::string_view number);
std::string PrintFloat(double value);
std::string PrintFloat(float value);

}  // namespace candid

#endif  // GPT2IC_CANDID_TEXT_H_
