//! A program that keeps keys: the way to a key service that speaks a language of its own. It is started once and asked line
//! by line, so that a signature costs no process.
//!
//! Each question is one JSON object on its standard input, each answer one on its standard output, in any order; what it
//! has to say otherwise belongs on its standard error.
//!
//! | question | answer |
//! |---|---|
//! | `{"id":1,"ask":"addresses"}` | `{"id":1,"addresses":["…base58…"]}` |
//! | `{"id":2,"ask":"sign","address":"…","message":"…base64…"}` | `{"id":2,"signature":"…base58…"}` |
//! | `{"id":3,"ask":"master-secret","keyId":"1"}` | `{"id":3,"secret":"…64 hexadecimal digits…"}` |
//! | any | `{"id":4,"refused":"why"}` |

use std::collections::HashMap;
use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::Signature;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::signer::{Signer, SignerError, SignerProblem};

/// How long an answer may take. An operation that waits longer is better tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// The program, running or to be started with the next question.
pub struct SignerCommand {
    command: String,
    withheld: Vec<&'static str>,
    questions: Mutex<Option<mpsc::UnboundedSender<Question>>>,
}

/// Shows nothing: a command line may hold a secret.
impl fmt::Debug for SignerCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerCommand").finish_non_exhaustive()
    }
}

struct Question {
    asked: Value,
    answer: oneshot::Sender<Answer>,
}

/// Shows nothing: it may hold a secret.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    id: u64,
    addresses: Option<Vec<String>>,
    signature: Option<String>,
    secret: Option<String>,
    refused: Option<String>,
}

impl SignerCommand {
    /// A command line, as `sh` understands it. The program gets this process's environment without what is `withheld`.
    #[must_use]
    pub fn new(command: impl Into<String>, withheld: impl IntoIterator<Item = &'static str>) -> Arc<Self> {
        let withheld = withheld.into_iter().collect();
        Arc::new(Self { command: command.into(), withheld, questions: Mutex::new(None) })
    }

    /// A signer for each account whose key the program keeps.
    ///
    /// # Errors
    /// It does not answer, or with something else than addresses.
    pub async fn signers(self: &Arc<Self>) -> Result<Vec<Arc<dyn Signer>>, SignerProblem> {
        let addresses = self.ask(json!({ "ask": "addresses" })).await?.addresses;
        let addresses = addresses.ok_or_else(|| no_answer("addresses"))?;
        let signer = |address: String| -> Result<Arc<dyn Signer>, SignerProblem> {
            let address = address.parse().map_err(|_| no_answer("addresses"))?;
            Ok(Arc::new(CommandSigner { address, command: Arc::clone(self) }))
        };
        addresses.into_iter().map(signer).collect()
    }

    /// The master secret of that name, as text.
    ///
    /// # Errors
    /// It does not answer, or will not give it away.
    pub async fn master_secret(&self, key_id: &str) -> Result<SecretString, SignerProblem> {
        let answer = self.ask(json!({ "ask": "master-secret", "keyId": key_id })).await?;
        answer.secret.map(SecretString::from).ok_or_else(|| no_answer("a secret"))
    }

    async fn ask(&self, asked: Value) -> Result<Answer, SignerProblem> {
        let (answer, answered) = oneshot::channel();
        let questions = self.running().await?;
        questions.send(Question { asked, answer }).map_err(|_| ended())?;
        let Ok(answer) = timeout(PATIENCE, answered).await else {
            self.give_up(&questions).await;
            return Err(SignerProblem::Silent);
        };
        let answer = answer.map_err(|_| ended())?;
        match answer.refused {
            Some(why) => Err(SignerProblem::Refused(why)),
            None => Ok(answer),
        }
    }

    /// A program that hangs is started anew by the next question; whoever gave up first has seen to that.
    async fn give_up(&self, silent: &mpsc::UnboundedSender<Question>) {
        let mut running = self.questions.lock().await;
        running.take_if(|questions| questions.same_channel(silent));
    }

    /// Starts the program where it does not run.
    async fn running(&self) -> Result<mpsc::UnboundedSender<Question>, SignerProblem> {
        let mut running = self.questions.lock().await;
        if let Some(questions) = running.as_ref().filter(|questions| !questions.is_closed()) {
            return Ok(questions.clone());
        }
        let mut program = Command::new("sh");
        for variable in &self.withheld {
            program.env_remove(variable);
        }
        let child = program
            .args(["-c", &self.command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| SignerProblem::Gone(error.to_string()))?;
        let (questions, asked) = mpsc::unbounded_channel();
        tokio::spawn(serve(child, asked));
        *running = Some(questions.clone());
        Ok(questions)
    }
}

/// Carries questions and answers until either side ends. Whoever waits for an answer then is told by its channel.
async fn serve(mut child: Child, mut asked: mpsc::UnboundedReceiver<Question>) {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return };
    let mut lines = BufReader::new(stdout).lines();
    let mut waiting: HashMap<u64, oneshot::Sender<Answer>> = HashMap::new();
    let mut id = 0;
    loop {
        tokio::select! {
            question = asked.recv() => {
                let Some(Question { mut asked, answer }) = question else { return };
                id += 1;
                waiting.retain(|_, answer| !answer.is_closed());
                waiting.insert(id, answer);
                asked["id"] = id.into();
                let written = timeout(PATIENCE, stdin.write_all(format!("{asked}\n").as_bytes())).await;
                if !matches!(written, Ok(Ok(()))) {
                    return;
                }
            }
            line = lines.next_line() => match line.map(|line| line.map(read)) {
                Ok(Some(Ok(answer))) => {
                    // Whoever gave up waiting needs no answer.
                    let _ = waiting.remove(&answer.id).map(|asker| asker.send(answer));
                }
                // The line is not shown: it may hold a secret.
                Ok(Some(Err(_))) => tracing::warn!("the signer command said something that is no answer"),
                Ok(None) | Err(_) => return,
            },
        }
    }
}

fn read(line: String) -> Result<Answer, serde_json::Error> {
    serde_json::from_str(&Zeroizing::new(line))
}

fn ended() -> SignerProblem {
    SignerProblem::Gone("it ended".to_owned())
}

fn no_answer(what: &str) -> SignerProblem {
    SignerProblem::Gone(format!("it did not answer with {what}"))
}

/// One account of the program's.
#[derive(Debug)]
struct CommandSigner {
    address: Pubkey,
    command: Arc<SignerCommand>,
}

#[async_trait]
impl Signer for CommandSigner {
    fn address(&self) -> Pubkey {
        self.address
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let asked = json!({ "ask": "sign", "address": self.address.to_string(), "message": BASE64.encode(message) });
        let signature = async {
            let signature = self.command.ask(asked).await?.signature.ok_or_else(|| no_answer("a signature"))?;
            signature.parse().map_err(|_| no_answer("a signature"))
        };
        signature.await.map_err(|problem| SignerError { address: self.address, problem })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// Answers each question by a line of its own, whatever its kind.
    fn answering(lines: &str) -> Arc<SignerCommand> {
        SignerCommand::new(format!("while read -r line; do id=$((id + 1)); {lines}; done"), [])
    }

    const ADDRESS: &str = "AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9";

    #[tokio::test]
    async fn a_program_tells_its_addresses_and_signs_and_refuses() {
        let script = format!(
            r#"case "$line" in
                *addresses*) echo '{{"id":'$id',"addresses":["{ADDRESS}"]}}';;
                *bWVzc2FnZQ==*) echo '{{"id":'$id',"signature":"{}"}}';;
                *sign*) echo '{{"id":'$id',"refused":"not today"}}';;
                *master-secret*) echo '{{"id":'$id',"secret":"hunter2"}}';;
            esac"#,
            Signature::from_bytes([5; 64])
        );
        let command = answering(&script);
        let signers = command.signers().await.unwrap();
        assert_eq!(signers[0].address().to_string(), ADDRESS);
        assert_eq!(signers[0].sign(b"message").await, Ok(Signature::from_bytes([5; 64])));
        let error = signers[0].sign(b"another").await.unwrap_err();
        assert_eq!(error.problem, SignerProblem::Refused("not today".into()));
        assert_eq!(command.master_secret("1").await.unwrap().expose_secret(), "hunter2");
        assert!(!format!("{command:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_program_that_ends_is_started_again_with_the_next_question() {
        let place = tempfile::tempdir().unwrap();
        let count = place.path().join("starts");
        let once = format!(
            r#"echo x >> {count}; read -r line; [ $(wc -l < {count}) -gt 1 ] && echo '{{"id":1,"addresses":[]}}'"#,
            count = count.display()
        );
        let command = SignerCommand::new(once, []);
        assert!(matches!(command.signers().await, Err(SignerProblem::Gone(_))));
        assert!(command.signers().await.is_ok_and(|signers| signers.is_empty()));
    }

    #[tokio::test]
    async fn a_program_is_not_given_what_is_withheld() {
        // Cargo sets it for every test.
        let variable = "CARGO_MANIFEST_DIR";
        let script = format!(
            r#"read -r line; printf '{{"id":1,"addresses":[%s]}}\n' "${{{variable}:+\"{ADDRESS}\"}}"; read -r line"#
        );
        let addresses = async |withheld: &[&'static str]| {
            SignerCommand::new(&*script, withheld.iter().copied()).signers().await.unwrap().len()
        };
        assert_eq!((addresses(&[]).await, addresses(&[variable]).await), (1, 0));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_passed_over_and_a_wrong_one_is_an_error() {
        let chatty = answering(r#"echo hello; echo '{"id":'$id',"addresses":["nobody"]}'"#);
        assert_eq!(chatty.signers().await.unwrap_err(), no_answer("addresses"));
        let missing = SignerCommand::new("exec /no/such/signer 2>/dev/null", []);
        assert!(matches!(missing.signers().await, Err(SignerProblem::Gone(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_never_answers_is_not_waited_for() {
        assert!(matches!(SignerCommand::new("exec sleep 1000", []).signers().await, Err(SignerProblem::Silent)));
    }
}
