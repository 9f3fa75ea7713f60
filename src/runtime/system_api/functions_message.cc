#include "runtime/system_api/functions.h"

namespace runtime {
namespace {

constexpr auto kBoth = SystemCall::Words::kBoth;
constexpr size_t kMessageTextMax = 32 * 1024;  // of trap and debug_print

// The `size` of a byte string, and its `copy`: every pair of the spec looks alike.
template <auto Get>
bool Size(Execution& e, uint64_t* a) {
  a[0] = Get(e).size();
  return true;
}

const base::Bytes& Argument(const Execution& e) { return e.input().argument; }
const base::Bytes& Caller(const Execution& e) { return e.input().caller; }
const base::Bytes& InfoData(const Execution& e) { return e.input().sender_info_data; }
const base::Bytes& InfoSigner(const Execution& e) { return e.input().sender_info_signer; }
base::ByteSpan RejectText(const Execution& e) { return base::AsBytes(e.input().reject->message); }
base::ByteSpan MethodName(const Execution& e) { return base::AsBytes(e.input().method); }

template <auto Get, const char* const* Name>
bool Copy(Execution& e, uint64_t* a) {
  return e.CopyToHeap(*Name, Get(e), a[0], a[1], a[2]);
}

constexpr const char* kArgCopy = "msg_arg_data_copy";
constexpr const char* kCallerCopy = "msg_caller_copy";
constexpr const char* kInfoDataCopy = "msg_caller_info_data_copy";
constexpr const char* kInfoSignerCopy = "msg_caller_info_signer_copy";
constexpr const char* kRejectMsgCopy = "msg_reject_msg_copy";
constexpr const char* kMethodNameCopy = "msg_method_name_copy";

bool MsgRejectCode(Execution& e, uint64_t* a) {
  a[0] = e.input().reject ? static_cast<uint64_t>(e.input().reject->code) : 0;
  return true;
}

bool MsgDeadline(Execution& e, uint64_t* a) {
  a[0] = e.input().deadline_ns;
  return true;
}

bool AlreadyReplied(Execution& e, const char* name) {
  return e.Violation("ic0.", name, ": the call is already replied");
}

uint64_t ReplyBytesMax(const Execution& e) {
  const Entry entry = e.input().entry;
  const bool local = entry == Entry::kQuery || entry == Entry::kCompositeQuery ||
                     entry == Entry::kCompositeReply || entry == Entry::kCompositeReject;
  return local ? e.limits().query_reply_bytes_max : e.limits().reply_bytes_max;
}

bool MsgReplyDataAppend(Execution& e, uint64_t* a) {
  if (e.replied) return AlreadyReplied(e, "msg_reply_data_append");
  const uint64_t limit = ReplyBytesMax(e);
  if (a[1] > limit - e.reply_data.size()) {
    return e.Violation("ic0.msg_reply_data_append: application payload size (",
                       e.reply_data.size() + a[1], ") cannot be larger than ", limit);
  }
  const uint8_t* from = e.HeapRange("msg_reply_data_append", a[0], a[1]);
  if (from == nullptr) return false;
  e.reply_data.insert(e.reply_data.end(), from, from + a[1]);
  return true;
}

bool MsgReply(Execution& e, uint64_t*) {
  if (e.replied) return AlreadyReplied(e, "msg_reply");
  e.replied = true;
  e.effects().response = Response{std::nullopt, std::move(e.reply_data)};
  return true;
}

bool MsgReject(Execution& e, uint64_t* a) {
  if (e.replied) return AlreadyReplied(e, "msg_reject");
  const uint64_t limit = e.limits().reply_bytes_max;
  if (a[1] > limit) {
    return e.Violation("ic0.msg_reject: application payload size (", a[1],
                       ") cannot be larger than ", limit);
  }
  const uint8_t* from = e.HeapRange("msg_reject", a[0], a[1]);
  if (from == nullptr) return false;
  e.replied = true;
  e.effects().response = Response{Reject{RejectCode::kCanisterReject, ErrorCode::kCanisterRejected,
                                         std::string(base::AsText({from, a[1]}))},
                                  {}};
  return true;
}

bool AcceptMessage(Execution& e, uint64_t*) {
  if (e.effects().message_accepted) {
    return e.Violation("ic0.accept_message: the function was already called");
  }
  e.effects().message_accepted = true;
  return true;
}

// 2 instructions a byte for what fits the log, 50 for what fits its free space.
bool ChargeLogging(Execution& e, uint64_t size, uint64_t fixed) {
  const uint64_t kept = std::min(size, e.limits().log_bytes_max);
  const uint64_t fresh = std::min(size, e.LogBytesFree());
  const uint64_t logging = 2 * kept + 50 * fresh;
  return e.Charge(e.limits().system_subnet ? fixed : fixed + logging);
}

// The text at [address, size), or a placeholder when it is out of bounds: no trap of its own.
std::string TextAt(Execution& e, uint64_t address, uint64_t size, std::string_view placeholder) {
  const uint64_t heap = e.canister().HeapBytes();
  if (address > heap || size > heap - address) return std::string(placeholder);
  if (size == 0) return "";
  const uint8_t* from = e.canister().heap->base() + address;
  return std::string(base::AsText({from, std::min<size_t>(size, kMessageTextMax)}));
}

constexpr std::string_view kBadPrint = "(debug_print message is out of bounds...)";  // 41 bytes
static_assert(kBadPrint.size() == 41);

bool DebugPrint(Execution& e, uint64_t* a) {
  if (!ChargeLogging(e, a[1], 100)) return false;
  e.AppendLog(TextAt(e, a[0], a[1], kBadPrint));
  return true;
}

bool Trap(Execution& e, uint64_t* a) {
  const uint64_t fixed = e.limits().system_subnet || a[1] > ~uint64_t{0} - 500 ? 500 : 500 + a[1];
  if (!ChargeLogging(e, a[1], fixed)) return false;
  const std::string text = TextAt(e, a[0], a[1], "(trap message is out of bounds)");
  e.AppendLog(base::StrCat("[TRAP]: ", text.empty() ? "(no message)" : text));
  return e.Fail(ErrorCode::kCanisterCalledTrap,
                base::StrCat("Canister called `ic0.trap` with message: '", text, "'"));
}

constexpr char kArg[] = "I U RQ NRQ TQ CQ Ry CRy F";
constexpr char kInfo[] = "U RQ NRQ CQ Ry Rt CRy CRt C CC F";
constexpr char kAnswer[] = "U RQ NRQ TQ CQ Ry Rt CRy CRt";

constexpr SystemCall kCalls[] = {
    {"msg_arg_data_size", ":I", kArg, kBoth, 500, 0, -1, Size<Argument>},
    {"msg_arg_data_copy", "III:", kArg, kBoth, 500, 1, 2, Copy<Argument, &kArgCopy>},
    {"msg_caller_size", ":I", "*", kBoth, 500, 0, -1, Size<Caller>},
    {"msg_caller_copy", "III:", "*", kBoth, 500, 1, 2, Copy<Caller, &kCallerCopy>},
    {"msg_caller_info_data_size", ":I", kInfo, kBoth, 500, 0, -1, Size<InfoData>},
    {"msg_caller_info_data_copy", "III:", kInfo, kBoth, 500, 1, 2, Copy<InfoData, &kInfoDataCopy>},
    {"msg_caller_info_signer_size", ":I", kInfo, kBoth, 500, 0, -1, Size<InfoSigner>},
    {"msg_caller_info_signer_copy", "III:", kInfo, kBoth, 500, 1, 2,
     Copy<InfoSigner, &kInfoSignerCopy>},
    {"msg_reject_code", ":i", "Ry Rt CRy CRt C", kBoth, 500, 0, -1, MsgRejectCode},
    {"msg_reject_msg_size", ":I", "Rt CRt", kBoth, 500, 0, -1, Size<RejectText>},
    {"msg_reject_msg_copy", "III:", "Rt CRt", kBoth, 500, 1, 2, Copy<RejectText, &kRejectMsgCopy>},
    {"msg_deadline", ":l", "U RQ NRQ CQ Ry Rt CRy CRt", kBoth, 500, 0, -1, MsgDeadline},
    {"msg_reply_data_append", "II:", kAnswer, kBoth, 500, 50, 1, MsgReplyDataAppend},
    {"msg_reply", ":", kAnswer, kBoth, 500, 0, -1, MsgReply},
    {"msg_reject", "II:", kAnswer, kBoth, 500, 50, 1, MsgReject},
    {"msg_method_name_size", ":I", "F", kBoth, 500, 0, -1, Size<MethodName>},
    {"msg_method_name_copy", "III:", "F", kBoth, 500, 1, 2, Copy<MethodName, &kMethodNameCopy>},
    {"accept_message", ":", "F", kBoth, 500, 0, -1, AcceptMessage},
    {"debug_print", "II:", "* s", kBoth, 0, 0, -1, DebugPrint},
    {"trap", "II:", "* s", kBoth, 0, 0, -1, Trap},
};

}  // namespace

std::span<const SystemCall> MessageCalls() { return kCalls; }

}  // namespace runtime
