// Who may call what, for every method, kind of caller and policy; and what every method makes of
// bad arguments.
#include "base/sha256.h"
#include "candid/decode.h"
#include "candid/did.h"
#include "model_fixture.h"

namespace {

using namespace model_test;

enum class Access : uint8_t {
  kAll,         // a query
  kAuthorized,  // others are rejected
  kOwner,       // others get an Err
  kPolicy,      // those whom open_to lets generate
  kOwnThings,   // everyone, on what is theirs
};

struct Row {
  const char* method;
  Access access;
  Bytes argument;  // that the method takes
};

const candid::Principal kSomeone = *candid::Principal::FromText("rrkah-fqaaa-aaaaa-aaaaq-cai");
const uint64_t kNoId = 1'000'000;

struct HttpRequest {
  std::string method, url;
  std::vector<std::pair<std::string, std::string>> headers;
  Bytes body;
};
CANDID_RECORD(HttpRequest, method, url, headers, body)

model::GenerateArgs OneToken() {
  model::GenerateArgs args;
  args.input = {model::InputKind::kTokens, {}, {}, {5}};
  args.sampling.max_tokens = 1;
  return args;
}

std::vector<Row> Table() {
  const auto bytes = [] { return candid::EncodeArgs(base::AsBytes("x")); };
  const auto text = [] { return candid::EncodeArgs(std::string_view("hi")); };
  const auto id = [] { return candid::EncodeArgs(kNoId); };
  const auto ids = [] { return candid::EncodeArgs(std::vector<uint32_t>{1}); };
  const auto someone = [] { return candid::EncodeArgs(kSomeone); };
  const Bytes none = candid::EncodeArgs();
  std::vector<Row> rows = {
      {"add_authorized_principal", Access::kAuthorized, someone()},
      {"is_principal_authorized", Access::kAll, someone()},
      {"remove_authorized_principal", Access::kOwner, someone()},
      {"setup_var_builder", Access::kAuthorized, none},
      {"setup_tokenizer", Access::kAuthorized, none},
      {"setup_model", Access::kAuthorized, none},
      {"tokenize", Access::kAll, text()},
      {"decode", Access::kAll, ids()},
      {"decode_batch", Access::kAll, ids()},
      {"fibonacci", Access::kAll, candid::EncodeArgs(uint32_t{7})},
      {"inference", Access::kAuthorized,
       candid::EncodeArgs(std::vector<uint32_t>{5}, uint8_t{1}, 0.0)},
      {"generate", Access::kPolicy, candid::EncodeArgs(std::string_view("hi"), uint8_t{1}, 0.0)},
      {"upload_begin", Access::kAuthorized,
       candid::EncodeArgs(model::UploadArgs{"config", 2, 2, {}})},
      {"upload_chunk", Access::kAuthorized,
       candid::EncodeArgs(kNoId, uint32_t{0}, base::AsBytes("x"))},
      {"upload_status", Access::kAll, id()},
      {"upload_commit", Access::kAuthorized, id()},
      {"upload_abort", Access::kAuthorized, id()},
      {"upload_list", Access::kAll, none},
      {"generate_start", Access::kPolicy, candid::EncodeArgs(OneToken())},
      {"generate_poll", Access::kAll, candid::EncodeArgs(kNoId, uint64_t{0})},
      {"generate_cancel", Access::kOwnThings, id()},
      {"generate_list", Access::kAll, none},
      {"quote", Access::kAll, candid::EncodeArgs(OneToken())},
      {"may_generate", Access::kPolicy, none},
      {"count_tokens", Access::kAll, text()},
      {"session_list", Access::kAll, none},
      {"session_delete", Access::kOwnThings, id()},
      {"receipt", Access::kAll, id()},
      {"receipt_list", Access::kAll, id()},
      {"http_request", Access::kAll, candid::EncodeArgs(HttpRequest{"GET", "/health", {}, {}})},
      {"get_policy", Access::kAll, none},
      {"set_policy", Access::kOwner, {}},  // the one that is in force
      {"status", Access::kAll, none},
      {"logs", Access::kAll, id()},
  };
  for (const char* method :
       {"clear_config_bytes", "store_config_bytes_to_stable", "load_config_bytes_from_stable",
        "clear_safetensors_bytes", "store_safetensors_bytes_to_stable",
        "load_safetensors_bytes_from_stable", "clear_tokenizer_bytes",
        "store_tokenizer_bytes_to_stable", "load_tokenizer_bytes_from_stable"}) {
    rows.push_back({method, Access::kAuthorized, none});
  }
  for (const char* method :
       {"append_config_bytes", "append_safetensors_bytes", "append_tokenizer_bytes"}) {
    rows.push_back({method, Access::kAuthorized, bytes()});
  }
  for (const char* method :
       {"config_bytes_length", "safetensors_bytes_length", "tokenizer_bytes_length"}) {
    rows.push_back({method, Access::kAll, none});
  }
  return rows;
}

// In the order of what they may; those of kOpenTo that the policy lets in.
enum class Role : uint8_t { kAnonymous, kAuthenticated, kAuthorized, kController };
constexpr const char* kOpenTo[] = {"everyone", "authenticated", "listed", "controllers"};

class CanisterAccess : public ModelCanister {
 protected:
  // A controller that is not authorized, an authorized one that is no controller, and the others.
  static inline const Principal kControllerOnly = {5, 5}, kListed = {6, 6};

  CanisterAccess() {
    SetUpDemo();
    local_->network()
        .Find(local_->canister())
        ->state.settings.controllers.push_back(kControllerOnly);
    EXPECT_TRUE(local_->Update("add_authorized_principal",
                               candid::EncodeArgs(candid::Principal::FromBytes(kListed).value())));
    model::Policy policy = PolicyNow();
    policy.tokens_per_caller_per_day = policy.tokens_per_day = std::nullopt;
    EXPECT_EQ(SetPolicy(policy), "Ok");
    did_ = candid::ParseDid(cli::ReadFile("src/canister/model/model.did").value()).value();
    for (const auto& row : Table()) rows_.emplace(row.method, row);
  }

  // What became of a call: its reject's sentence, "Err code: sentence" or "Ok".
  std::string Outcome(const runtime::Response& response) {
    if (response.reject) return response.reject->message;
    const auto reply = candid::DecodeAny(response.reply).value();
    if (reply.values.empty()) return "Ok";
    const candid::Value* value = &reply.values[0];
    if (value->kind == candid::Kind::kVariant) {
      if (value->ids[0] != candid::LabelHash("Err")) {
        value = &value->items[0];  // `inference` has a result within its result
        if (value->kind != candid::Kind::kRecord || value->items.size() != 1) return "Ok";
        value = &value->items[0];
        if (value->kind != candid::Kind::kVariant || value->ids[0] != candid::LabelHash("Err")) {
          return "Ok";
        }
      }
      const candid::Value& error = value->items[0];
      if (error.kind == candid::Kind::kText) return "Err " + error.text;
      return base::StrCat("Err ", error.items[0].text, " ", error.items[1].text);
    }
    if (value->kind == candid::Kind::kOpt && !value->items.empty() &&
        value->items[0].kind == candid::Kind::kText) {
      return "Err " + value->items[0].text;  // setup_tokenizer
    }
    return "Ok";
  }
  std::string Call(const Principal& sender, const std::string& method, const Bytes& argument) {
    const bool query = (did_.FindMethod(method)->modes & candid::kQueryFunc) != 0;
    runtime::Network& network = local_->network();
    const auto response = query ? network.Query(sender, local_->canister(), method, argument)
                                : network.Call(sender, local_->canister(), method, argument);
    return Outcome(response);
  }
  static bool IsRefusal(const std::string& outcome) {
    return outcome.find("is not authorized; ask") != std::string::npos ||
           outcome.find("not_allowed") != std::string::npos ||
           outcome.find("this canister generates for") != std::string::npos;
  }

  // Everything that can be seen of the canister, but what calls cost it.
  std::string Fingerprint() {
    base::Sha256 sha;
    const auto& slot = local_->network().Slots().at(local_->canister());
    Bytes stable(slot.state.StableBytes());
    slot.state.stable->Read(0, stable);
    sha.Update(stable);
    sha.Update(slot.state.certified_data);
    auto status = QueryAs<model::Status>(kOwner, "status");
    status.cycles = status.heap_bytes = 0;
    sha.Update(candid::EncodeArgs(status));
    for (const char* method : {"get_policy", "upload_list", "generate_list", "session_list"}) {
      sha.Update(local_->Query(method, candid::EncodeArgs()).value());
    }
    for (const char* method : {"logs", "receipt_list"}) {
      sha.Update(local_->Query(method, candid::EncodeArgs(uint64_t{0})).value());
    }
    return base::StrCat(base::AsText(sha.Finish()));
  }

  candid::DidFile did_;
  std::map<std::string, Row> rows_;
};

TEST_F(CanisterAccess, TheTableHasEveryMethod) {
  size_t methods = 0;
  for (const auto& field : did_.table.Fields(did_.table.node(*did_.service))) {
    EXPECT_TRUE(rows_.contains(did_.table.MethodName(field))) << did_.table.MethodName(field);
    ++methods;
  }
  EXPECT_EQ(methods, rows_.size());
}

TEST_F(CanisterAccess, EveryMethodByEveryCallerUnderEveryPolicy) {
  struct Who {
    Principal id;
    Role role;
  };
  const Who callers[] = {{kControllerOnly, Role::kController},
                         {kListed, Role::kAuthorized},
                         {kStranger, Role::kAuthenticated},
                         {kAnonymous, Role::kAnonymous}};
  size_t checked = 0;
  std::string before;  // the state, while nothing may have changed it
  for (size_t least = 0; least < std::size(kOpenTo); ++least) {
    model::Policy policy = PolicyNow();
    policy.open_to = kOpenTo[least];
    ASSERT_EQ(SetPolicy(policy), "Ok");
    rows_.at("set_policy").argument = candid::EncodeArgs(policy);
    for (const auto& [name, row] : rows_) {
      for (const Who& who : callers) {
        SCOPED_TRACE(base::StrCat(name, " by role ", static_cast<int>(who.role), " open to ",
                                  kOpenTo[least]));
        const bool authorized = who.role >= Role::kAuthorized;
        const bool may =
            row.access == Access::kAll || row.access == Access::kOwnThings ||
            (row.access == Access::kPolicy ? static_cast<size_t>(who.role) >= least : authorized);
        if (!may && before.empty()) before = Fingerprint();
        EXPECT_EQ(IsRefusal(Call(who.id, name, row.argument)), !may);
        if (may) {
          before.clear();
        } else {
          EXPECT_EQ(Fingerprint(), before);
        }
        // A query that is sent as an update costs, and is for the authorized.
        const bool query = (did_.FindMethod(name)->modes & candid::kQueryFunc) != 0;
        // And so is what is about a job or session that the caller does not have.
        const bool taken = query || row.access == Access::kOwnThings ? authorized : may;
        EXPECT_EQ(!local_->network().Inspect(who.id, local_->canister(), name, row.argument),
                  taken);
        ++checked;
      }
    }
  }
  EXPECT_EQ(checked, 4 * 4 * rows_.size());
}

// What would be refused for another reason is dropped before it costs, too.
TEST_F(CanisterAccess, InspectionAgreesWithWhatTheMethodWouldSay) {
  const auto dropped = [&](const char* method) {
    return local_->network()
        .Inspect(kStranger, local_->canister(), method, rows_.at(method).argument)
        .has_value();
  };
  EXPECT_FALSE(dropped("generate_start"));
  model::Policy policy = PolicyNow();
  policy.tokens_per_caller_per_day = 0;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  EXPECT_TRUE(dropped("generate_start") && dropped("generate"));
  EXPECT_EQ(Call(kStranger, "generate_start", rows_.at("generate_start").argument).substr(0, 9),
            "Err quota");
  EXPECT_EQ(Call(kStranger, "may_generate", candid::EncodeArgs()).substr(0, 9), "Err quota");
  policy.tokens_per_caller_per_day = std::nullopt;
  policy.max_jobs_per_caller = 1;
  policy.instructions_per_message = 400'000'000;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  model::GenerateArgs lengthy = OneToken();
  lengthy.sampling.max_tokens = 250;
  ASSERT_TRUE(StartAs(kStranger, lengthy));
  EXPECT_TRUE(dropped("generate_start"));
  EXPECT_EQ(Call(kStranger, "generate_start", rows_.at("generate_start").argument).substr(0, 8),
            "Err busy");
  EXPECT_EQ(Call(kStranger, "may_generate", candid::EncodeArgs()).substr(0, 8), "Err busy");
  EXPECT_TRUE(local_->network().Inspect(kOwner, local_->canister(), "lend_message", {}));
  // Own things are taken, others' are not.
  const auto about = [&](const Principal& who, const char* method, uint64_t id) {
    return !local_->network().Inspect(who, local_->canister(), method, candid::EncodeArgs(id));
  };
  const auto jobs = QueryAs<std::vector<model::JobSummary>>(kStranger, "generate_list");
  EXPECT_TRUE(about(kStranger, "generate_cancel", jobs.at(0).job));
  EXPECT_FALSE(about(kOther, "generate_cancel", jobs.at(0).job));
  const auto sessions = QueryAs<std::vector<model::SessionSummary>>(kStranger, "session_list");
  EXPECT_TRUE(about(kStranger, "session_delete", sessions.at(0).session));
  EXPECT_FALSE(about(kOther, "session_delete", sessions.at(0).session));
  // What is too large for any prompt is not paid for.
  policy.max_jobs_per_caller = 4;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  const auto sized = [&](size_t bytes) {
    model::GenerateArgs args = OneToken();
    args.input = {model::InputKind::kPrompt, std::string(bytes, 'a'), {}, {}};
    return !local_->network().Inspect(kStranger, local_->canister(), "generate_start",
                                      candid::EncodeArgs(args));
  };
  EXPECT_TRUE(sized(policy.max_prompt_bytes));
  EXPECT_FALSE(sized(policy.max_prompt_bytes + 5'000));
}

// ---- bad arguments ----

// Messages that are no candid, or not of any method's types.
std::vector<Bytes> NoArguments(const Bytes& good) {
  std::vector<Bytes> out = {
      {},
      Bytes(100'000, 0xff),
      {'D', 'I', 'D', 'L'},
      {'D', 'I', 'D', 'L', 0},
      {'D', 'I', 'D', 'L', 0, 0, 0},                                      // a byte too many
      {'D', 'I', 'D', 'L', 0, 1, 0x10},                                   // an unknown type
      {'D', 'I', 'D', 'L', 1, 0x6d, 0x7f, 1, 0, 0xff, 0xff, 0xff, 0x7f},  // 2^28 nulls
      {'D', 'I', 'D', 'L', 1, 0x6c, 1, 0, 0, 1, 0},                       // a record of itself
      {'D', 'I', 'D', 'L', 0xff, 0xff, 0xff, 0xff, 0x0f},                 // 2^32 types
  };
  for (size_t size = 1; size < good.size(); size += 1 + good.size() / 40) {
    out.emplace_back(good.begin(), good.begin() + static_cast<ptrdiff_t>(size));
  }
  Bytes longer = good;
  longer.push_back(0);
  out.push_back(longer);
  return out;
}

// Well formed, but of types that no method with arguments takes in the first place.
std::vector<Bytes> OtherTypes() {
  return {candid::EncodeArgs(), candid::EncodeArgs(true), candid::EncodeArgs(int16_t{-1}),
          candid::EncodeArgs(std::optional<bool>(true)),
          candid::EncodeArgs(std::vector<std::string>{"a"})};
}

TEST_F(CanisterAccess, WhatIsNoArgumentIsRejectedAndChangesNothing) {
  rows_.at("set_policy").argument = candid::EncodeArgs(PolicyNow());
  const std::string before = Fingerprint();
  for (const auto& [name, row] : rows_) {
    std::vector<Bytes> bad = NoArguments(row.argument);
    const bool has_arguments = !did_.FindMethod(name)->arguments.empty();
    if (has_arguments) {
      for (Bytes& other : OtherTypes()) bad.push_back(std::move(other));
    }
    for (const Bytes& argument : bad) {
      const std::string outcome = Call(kOwner, name, argument);
      EXPECT_NE(outcome.find("argument: "), std::string::npos)
          << name << " with " << argument.size() << " bytes: " << outcome;
    }
    ASSERT_EQ(Fingerprint(), before) << name;
  }
}

TEST_F(CanisterAccess, ValuesOutOfRangeAreNamedAndChangeNothing) {
  const std::string huge(100'000, 'a');
  const double inf = __builtin_inf(), nan = __builtin_nan("");
  const auto sampling = [](auto change) {
    model::GenerateArgs args = OneToken();
    change(args);
    return candid::EncodeArgs(args);
  };
  const auto policy = [&](auto change) {
    model::Policy changed = PolicyNow();
    change(changed);
    return candid::EncodeArgs(changed);
  };
  std::vector<std::pair<const char*, Bytes>> bad = {
      {"remove_authorized_principal", candid::EncodeArgs(kSomeone)},
      {"setup_model", candid::EncodeArgs()},
      {"setup_tokenizer", candid::EncodeArgs()},
      {"setup_var_builder", candid::EncodeArgs()},
      {"store_config_bytes_to_stable", candid::EncodeArgs()},
      {"load_tokenizer_bytes_from_stable", candid::EncodeArgs()},
      {"decode", candid::EncodeArgs(std::vector<uint32_t>{~0u})},
      {"decode_batch", candid::EncodeArgs(std::vector<uint32_t>{1, 3328})},
      {"inference", candid::EncodeArgs(std::vector<uint32_t>{~0u}, uint8_t{1}, 0.0)},
      {"inference", candid::EncodeArgs(std::vector<uint32_t>{}, uint8_t{1}, 0.0)},
      {"inference", candid::EncodeArgs(std::vector<uint32_t>(100'000, 1), uint8_t{1}, 0.0)},
      {"generate", candid::EncodeArgs(std::string_view(), uint8_t{1}, 0.0)},
      {"generate", candid::EncodeArgs(std::string_view(huge), uint8_t{1}, 0.0)},
      {"generate", candid::EncodeArgs(std::string_view("hi"), uint8_t{101}, 0.0)},
      {"upload_begin", candid::EncodeArgs(model::UploadArgs{"packed", ~uint64_t{0}, 1, {}})},
      {"upload_begin", candid::EncodeArgs(model::UploadArgs{"packed", 1, ~0u, {}})},
      {"upload_begin", candid::EncodeArgs(model::UploadArgs{huge, 1, 1, {}})},
      {"upload_begin", candid::EncodeArgs(model::UploadArgs{"config", 1, 1, Bytes(31)})},
      {"upload_chunk", candid::EncodeArgs(kNoId, ~0u, base::AsBytes(huge))},
      {"generate_poll", candid::EncodeArgs(kNoId, ~uint64_t{0})},
      {"set_policy", policy([](auto& p) { p.open_to = ""; })},
      {"set_policy", policy([](auto& p) { p.max_queue = 0; })},
      {"set_policy", policy([](auto& p) { p.max_queue = ~0u; })},
      {"set_policy", policy([](auto& p) { p.max_jobs_per_caller = ~0u; })},
      {"set_policy", policy([](auto& p) { p.max_prompt_bytes = ~0u; })},
      {"set_policy", policy([](auto& p) { p.instructions_per_message = 1; })},
      {"set_policy", policy([](auto& p) { p.cycles_per_token = ~model::Cycles{0}; })},
  };
  for (const char* method : {"upload_status", "upload_commit", "upload_abort", "generate_cancel",
                             "session_delete", "receipt"}) {
    for (const uint64_t id : {uint64_t{0}, kNoId, ~uint64_t{0}}) {
      bad.emplace_back(method, candid::EncodeArgs(id));
    }
  }
  for (const double t : {-1.0, 2.5, inf, nan}) {
    bad.emplace_back("generate", candid::EncodeArgs(std::string_view("hi"), uint8_t{1}, t));
  }
  const Bytes bad_requests[] = {
      sampling([&](auto& a) { a.sampling.temperature = nan; }),
      sampling([&](auto& a) { a.sampling.top_k = 0; }),
      sampling([&](auto& a) { a.sampling.top_p = inf; }),
      sampling([&](auto& a) { a.sampling.repetition_penalty = 0; }),
      sampling([&](auto& a) { a.sampling.frequency_penalty = -inf; }),
      sampling([&](auto& a) { a.sampling.presence_penalty = nan; }),
      sampling([&](auto& a) { a.sampling.logprobs = ~0u; }),
      sampling([&](auto& a) { a.sampling.stop = std::vector<std::string>(9, "x"); }),
      sampling([&](auto& a) { a.sampling.stop = {{huge}}; }),
      sampling([&](auto& a) { a.session = kNoId; }),
      sampling([&](auto& a) { a.input = {model::InputKind::kPrompt, huge, {}, {}}; }),
      sampling([&](auto& a) { a.input = {model::InputKind::kPrompt, "", {}, {}}; }),
      sampling([&](auto& a) { a.input = {model::InputKind::kMessages, {}, {}, {}}; }),
      sampling([&](auto& a) {
        a.input = {model::InputKind::kMessages, {}, std::vector<model::Message>(5'000), {}};
      }),
      sampling([&](auto& a) { a.input = {model::InputKind::kMessages, {}, {{huge, "x"}}, {}}; }),
      sampling([&](auto& a) { a.input.tokens = {~0u}; }),
      sampling([&](auto& a) { a.input.tokens = std::vector<uint32_t>(300, 1); }),
  };
  for (const Bytes& argument : bad_requests) {
    bad.emplace_back("generate_start", argument);
    bad.emplace_back("quote", argument);
  }
  const std::string before = Fingerprint();
  for (const auto& [method, argument] : bad) {
    const std::string outcome = Call(kOwner, method, argument);
    EXPECT_NE(outcome, "Ok") << method;
    EXPECT_LT(outcome.size(), 500u) << method;
    ASSERT_EQ(Fingerprint(), before) << method << ": " << outcome;
  }
}

}  // namespace
