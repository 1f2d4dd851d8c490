use std::sync::Mutex;

use ractor::{Actor, ActorProcessingErr, RpcReplyPort};

use super::*;

/// A gateway that keeps every reply port.
struct Hoarder;

type Hoard = Arc<Mutex<Vec<RpcReplyPort<Vec<u8>>>>>;

impl Actor for Hoarder {
    type Msg = GatewayMessage;
    type State = Hoard;
    type Arguments = Hoard;

    async fn pre_start(
        &self,
        _: ActorRef<GatewayMessage>,
        hoard: Hoard,
    ) -> Result<Hoard, ActorProcessingErr> {
        Ok(hoard)
    }

    async fn handle(
        &self,
        _: ActorRef<GatewayMessage>,
        message: GatewayMessage,
        hoard: &mut Hoard,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            GatewayMessage::Tell(_) => {}
            GatewayMessage::Ask(_, reply) => hoard.lock().unwrap().push(reply),
        }
        Ok(())
    }
}

struct Bench {
    link: Link,
    hoard: Hoard,
    spawner: Spawner,
}

async fn bench(asks: usize, bytes: usize) -> Bench {
    let hoard = Hoard::default();
    let (gateway, _) = Actor::spawn(None, Hoarder, Arc::clone(&hoard)).await.unwrap();
    let limits = MeshLimits { asks, bytes, ..MeshLimits::default() };
    Bench { link: Link::new(gateway.get_cell(), &limits), hoard, spawner: Spawner::default() }
}

impl Bench {
    fn ask(&self, size: usize) -> Result<InFlight, MeshError> {
        self.link.ask(vec![0; size], &self.spawner)
    }

    fn places(&self) -> (usize, usize) {
        (self.link.asks.available_permits(), self.link.bytes.available_permits())
    }

    /// In paused time, until everything that can happen has happened.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn inv_5_what_is_on_its_way_is_bounded() {
    let bench = bench(3, 100).await;
    let one = bench.ask(60).unwrap();
    assert_eq!(bench.ask(41).err(), Some(MeshError::Busy), "too many bytes");
    let two = bench.ask(40).unwrap();
    let three = bench.ask(0).unwrap();
    assert_eq!(bench.ask(0).err(), Some(MeshError::Busy), "too many asks");
    bench.settle().await;
    bench.hoard.lock().unwrap().remove(0).send(b"done".to_vec()).unwrap();
    assert_eq!(one.within(Duration::from_secs(1)).await.unwrap(), b"done"[..]);
    assert_eq!(bench.places(), (1, 60));
    drop((two, three));
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_leaves_its_place_taken_until_the_answer() {
    let bench = bench(2, 100).await;
    let waited = bench.ask(10).unwrap();
    drop(bench.ask(20).unwrap());
    assert_eq!(waited.within(Duration::from_secs(1)).await, Err(MeshError::Timeout));
    bench.settle().await;
    assert_eq!((bench.places(), bench.spawner.running()), ((0, 70), 2), "both may still be in a queue");
    bench.hoard.lock().unwrap().drain(..).for_each(|reply| reply.send(Vec::new()).unwrap());
    bench.settle().await;
    assert_eq!((bench.places(), bench.spawner.running()), ((2, 100), 0));
}

#[tokio::test(start_paused = true)]
async fn inv_4_the_end_of_a_session_is_an_answer() {
    let bench = bench(2, 100).await;
    let waiting = bench.ask(10).unwrap();
    drop(bench.ask(10).unwrap());
    bench.settle().await;
    bench.hoard.lock().unwrap().clear();
    bench.link.gateway.kill();
    assert_eq!(waiting.within(Duration::from_secs(60)).await, Err(MeshError::Gone));
    bench.settle().await;
    assert_eq!(bench.places(), (2, 100));
    assert_eq!(bench.ask(10).err(), Some(MeshError::Gone));
    bench.link.tell(Vec::new());
    assert_eq!(bench.places(), (2, 100));
}

#[test]
fn every_message_that_comes_is_taken() {
    use ractor::message::SerializedMessage::{Call, CallReply, Cast};
    let (variant, args) = ("unheard of".to_owned(), vec![7]);
    let cast = Cast { variant: variant.clone(), args: args.clone(), metadata: None };
    assert!(matches!(GatewayMessage::deserialize(cast), Ok(GatewayMessage::Tell(bytes)) if bytes == args));
    let (reply, _answer) = oneshot();
    let call = Call { variant, args: args.clone(), reply: reply.into(), metadata: None };
    assert!(matches!(GatewayMessage::deserialize(call), Ok(GatewayMessage::Ask(bytes, _)) if bytes == args));
    assert!(GatewayMessage::deserialize(CallReply(1, args)).is_err());
}
