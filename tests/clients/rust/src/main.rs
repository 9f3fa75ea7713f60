//! The Rust agent, as docs/clients.md shows it, against a network:
//! gpt2ic-client-tests URL CANISTER ED25519.pem SECP256K1.pem P256.pem
use candid::{Decode, Encode, Principal};
use ic_agent::{
    identity::{AnonymousIdentity, BasicIdentity, Prime256v1Identity, Secp256k1Identity},
    Agent, Identity,
};

type Failure = Box<dyn std::error::Error>;

async fn agent_of(url: &str, identity: impl Identity + 'static) -> Result<Agent, Failure> {
    let agent = Agent::builder().with_url(url).with_identity(identity).build()?;
    agent.fetch_root_key().await?; // on a local network only
    Ok(agent)
}

async fn ask(agent: &Agent, model: Principal) -> Result<String, Failure> {
    let arg = Encode!(&"What is the capital of France?", &20u8, &0.0f64)?;
    let reply = agent.update(&model, "generate").with_arg(arg).call_and_wait().await?;
    Ok(Decode!(&reply, Result<String, String>)??)
}

async fn check(url: &str, model: Principal, identity: impl Identity + 'static) -> Result<(), Failure> {
    let agent = agent_of(url, identity).await?;
    let reply = agent.query(&model, "fibonacci").with_arg(Encode!(&10u32)?).call().await?;
    assert_eq!(Decode!(&reply, u32)?, 55);
    // Refused by the canister, or carried out: either way with a verified answer.
    match agent.update(&model, "config_bytes_length").with_arg(Encode!()?).call_and_wait().await {
        Ok(reply) => drop(Decode!(&reply, u64)?),
        Err(error) => assert!(error.to_string().contains("IC0406"), "{error}"),
    }
    let candid = agent.read_state_canister_metadata(model, "candid:service").await?;
    assert!(String::from_utf8(candid)?.contains("generate_start"));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let (url, model) = (&arguments[1], Principal::from_text(&arguments[2])?);
    check(url, model, AnonymousIdentity).await?;
    check(url, model, BasicIdentity::from_pem_file(&arguments[3])?).await?;
    check(url, model, Secp256k1Identity::from_pem_file(&arguments[4])?).await?;
    check(url, model, Prime256v1Identity::from_pem_file(&arguments[5])?).await?;
    println!("{}", ask(&agent_of(url, AnonymousIdentity).await?, model).await?);
    Ok(())
}
