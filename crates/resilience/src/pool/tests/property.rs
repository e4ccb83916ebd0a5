//! The pool's promise, whatever happens to its endpoints.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Call { tried: Vec<usize>, critical: bool },
    Bypass { endpoint: usize, seconds: u64 },
    End { call: usize, class: Option<FailureClass> },
    Cancel { call: usize },
    Probe { endpoint: usize, class: Option<FailureClass> },
    Pass(Duration),
}

fn step() -> impl Strategy<Value = Step> {
    let class = || prop::option::of(prop::sample::select(FailureClass::ALL.to_vec()));
    prop_oneof![
        6 => (prop::collection::vec(0_usize..4, 0..3), any::<bool>())
            .prop_map(|(tried, critical)| Step::Call { tried, critical }),
        1 => (0_usize..4, 1_u64..60).prop_map(|(endpoint, seconds)| Step::Bypass { endpoint, seconds }),
        5 => (0_usize..8, class()).prop_map(|(call, class)| Step::End { call, class }),
        1 => (0_usize..8).prop_map(|call| Step::Cancel { call }),
        3 => (0_usize..4, class()).prop_map(|(endpoint, class)| Step::Probe { endpoint, class }),
        2 => (1_u64..20).prop_map(|seconds| Step::Pass(Duration::from_secs(seconds))),
    ]
}

proptest! {
    /// Whatever happened before: no call goes to an endpoint that is out or was tried; none to an open one while a closed
    /// one is there, and past a breaker none but a critical one; to the emergency one only when all others are out.
    #[test]
    fn never_an_open_endpoint_while_a_closed_one_is_there(steps in prop::collection::vec(step(), 1..150), seed: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let settings = PoolSettings {
                breaker: crate::BreakerSettings { failures: 2, ..crate::BreakerSettings::default() },
                ..PoolSettings::default()
            };
            let endpoints = vec![endpoint("a"), endpoint("b"), endpoint("c"), emergency("d")];
            let pool = Pool::new(endpoints, settings, Arc::new(Jitter::from_seed(seed))).unwrap();
            let names: Vec<Arc<str>> = pool.endpoints().map(|endpoint| Arc::clone(endpoint.label())).collect();
            let mut calls = Vec::new();
            for step in steps {
                match step {
                    Step::Call { tried, critical } => {
                        let tried: Vec<_> = tried.into_iter().map(|index| Arc::clone(&names[index])).collect();
                        let now = Instant::now();
                        let call = Call { traffic: Traffic::Read, critical };
                        let standing: BTreeMap<_, _> =
                            pool.endpoints().map(|e| (Arc::clone(e.label()), e.in_use(call, now).ok())).collect();
                        let usable = |name: &Arc<str>| standing[name].is_some();
                        let regular_out = !names[..3].iter().any(usable);
                        match pool.pick(call, &tried) {
                            Ok(lease) => {
                                prop_assert!(usable(lease.label()) && !tried.contains(lease.label()));
                                prop_assert_eq!(lease.endpoint().emergency, regular_out);
                                if standing[lease.label()] == Some(Standing::Bypassed) {
                                    prop_assert!(critical);
                                    let alike = if regular_out { &names[3..] } else { &names[..3] };
                                    let mut left = alike.iter().filter(|name| usable(name) && !tried.contains(name));
                                    prop_assert!(left.all(|name| standing[name] == Some(Standing::Bypassed)));
                                }
                                calls.push(lease);
                            }
                            Err(NoEndpoint::AllOut { .. }) => prop_assert!(!names.iter().any(usable)),
                            Err(NoEndpoint::AllTried) => {
                                let left = if regular_out { &names[3..] } else { &names[..3] };
                                prop_assert!(left.iter().all(|name| !usable(name) || tried.contains(name)));
                            }
                            Err(NoEndpoint::Busy { .. }) => prop_assert!(false, "these budgets never end"),
                        }
                    }
                    Step::End { call, class } if call < calls.len() => match class {
                        Some(class) => calls.swap_remove(call).failed(fault(class)),
                        None => calls.swap_remove(call).succeeded(),
                    },
                    Step::Cancel { call } if call < calls.len() => drop(calls.swap_remove(call)),
                    Step::End { .. } | Step::Cancel { .. } => {}
                    Step::Probe { endpoint, class } => {
                        let found = class.map_or(Ok(FAST), |class| Err(fault(class)));
                        pool.endpoints().nth(endpoint).unwrap().probed(found);
                    }
                    Step::Bypass { endpoint, seconds } => {
                        let until = Instant::now() + Duration::from_secs(seconds);
                        let bypass = Override { kind: OverrideKind::Bypass, until };
                        pool.endpoints().nth(endpoint).unwrap().breaker().set_override(Some(bypass));
                    }
                    Step::Pass(time) => advance(time).await,
                }
            }
            drop(calls);
            prop_assert!(pool.health().iter().all(|health| health.in_flight == 0));
            Ok(())
        })?;
    }
}
