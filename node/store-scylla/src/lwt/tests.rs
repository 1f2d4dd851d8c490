use super::*;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

const YES: Option<CqlValue> = Some(CqlValue::Boolean(true));
const NO: Option<CqlValue> = Some(CqlValue::Boolean(false));

#[test]
fn cassandra_sends_one_column_on_success_and_the_row_on_refusal() {
    assert_eq!(verdict(&names(&["[applied]"]), &[YES]), Ok(true));
    let refused = [NO, Some(CqlValue::Text("alice".to_owned())), Some(CqlValue::BigInt(3))];
    assert_eq!(verdict(&names(&["[applied]", "owner", "rev"]), &refused), Ok(false));
}

#[test]
fn scylla_always_sends_the_row_as_it_was() {
    let columns = names(&["[applied]", "owner", "key", "born", "op", "rev", "body"]);
    let absent = [YES, None, None, None, None, None, None];
    assert_eq!(verdict(&columns, &absent), Ok(true), "an insert where nothing was");
    let mut there = absent;
    there[5] = Some(CqlValue::BigInt(1));
    assert_eq!(verdict(&columns, &there), Ok(true), "an update of revision 1");
    there[0] = NO;
    assert_eq!(verdict(&columns, &there), Ok(false));
}

#[test]
fn the_column_is_found_wherever_it_stands() {
    let flag = Some(CqlValue::Boolean(true));
    assert_eq!(verdict(&names(&["sealed", "[applied]"]), &[flag, NO]), Ok(false));
}

#[test]
fn an_answer_without_a_verdict_is_an_error() {
    assert!(verdict(&names(&["rev"]), &[Some(CqlValue::BigInt(1))]).is_err());
    assert!(verdict(&names(&["[applied]"]), &[None]).is_err());
    assert!(verdict(&names(&["[applied]"]), &[]).is_err());
}
