"""A month in a small shop, told story by story. The key is the subject."""

from __future__ import annotations

from steps import Step, assessed, complained, customer, decided, desk, handed, moment, named, paid, placed, wrote

STORIES: dict[str, list[Step]] = {
    # Orders: as it should be
    "order-2001": [
        placed("02 09:05", "amy", "48.00", "1 lamp", "04 17:00", "06 18:00", first_order=True),
        paid("02 09:06"),
        ("02 10:00", "house", "stock_reserved", {"order.fulfilled_by": "warehouse"}),
        ("02 15:00", "house", "order_packed", {}),
        handed("03 16:30", "NW-2001"),
        ("05 11:20", "carrier", "carrier_delivered", {}),
    ],
    "order-2002": [
        placed("02 21:40", "claire", "120.00", "2 chaises", "05 17:00", "10 18:00"),
        paid("02 21:41"),
        ("03 07:30", "house", "stock_reserved", {"order.fulfilled_by": "partner"}),
        ("04 09:00", "house", "order_packed", {"order.items_match": False}),
        ("04 09:30", "house", "order_packed", {"order.items_match": True}),
        handed("04 16:00", "NW-2002"),
        ("09 10:05", "carrier", "carrier_delivered", {}),
    ],
    # Ships a day late, and is made good
    "order-2003": [
        placed("03 12:00", "eve", "30.00", "6 cups", "05 17:00", "09 18:00"),
        paid("03 12:01"),
        ("03 14:00", "house", "out_of_stock", {}),
        ("06 09:00", "house", "goods_received", {}),
        ("06 09:40", "house", "stock_reserved", {}),
        handed("06 15:00", "NW-2003"),
        desk("09 10:00", "compensation_given", delay__compensation="5.00"),
        ("10 12:00", "carrier", "carrier_delivered", {}),
    ],
    # A new day, named before the old one passed
    "order-2004": [
        placed("04 08:15", "didier", "310.00", "1 table", "10 17:00", "13 18:00"),
        paid("04 08:20"),
        ("04 10:00", "house", "made_to_order", {}),
        desk(
            "09 11:00",
            "new_date_given",
            order__ship_by=moment("16 12:00"),
            order__projected_delivery=moment("18 18:00"),
        ),
        ("10 08:20", "shop", "payment_reauthorised", {}),
        ("13 16:00", "house", "production_done", {}),
        ("13 18:00", "house", "order_packed", {}),
        handed("16 10:00", "NW-2004"),
        desk("16 11:00", "compensation_given", delay__compensation="10.00"),
        ("18 09:30", "carrier", "carrier_delivered", {}),
    ],
    # The bank says no, then yes
    "order-2005": [
        placed("05 19:30", "finn", "15.50", "1 tray", "09 17:00", "12 18:00"),
        ("05 19:31", "shop", "payment_declined", {}),
        paid("07 11:00"),
        ("09 07:45", "house", "stock_reserved", {}),
        ("09 09:00", "house", "order_packed", {}),
        handed("09 15:00", "NW-2005"),
        ("11 13:00", "carrier", "carrier_delivered", {}),
        # After the order is closed somebody scans it again: nobody expects that.
        ("19 09:00", "carrier", "handed_to_carrier", {}),
    ],
    # Nobody pays
    "order-2006": [
        placed("06 23:10", "gwen", "64.00", "1 rug", "11 17:00", "16 18:00"),
        ("06 23:11", "shop", "payment_declined", {}),
    ],
    # Cancelled in time
    "order-2007": [
        placed("09 10:30", "ben", "22.00", "4 glasses", "11 17:00", "16 18:00"),
        paid("09 10:31"),
        customer("09 11:00", "customer_cancels", order__cancel_reason="bought elsewhere"),
    ],
    # Lost on the way: our parcel until the customer holds it
    "order-2008": [
        placed("09 14:00", "claire", "75.00", "1 miroir", "11 17:00", "13 18:00"),
        paid("09 14:02"),
        ("09 15:30", "house", "stock_reserved", {}),
        ("10 08:00", "house", "order_packed", {}),
        handed("10 16:00", "NW-2008"),
        customer("20 10:00", "refund_wanted"),
        desk("20 11:00", "item_refund_sent", item__refund="75.00"),
        desk("20 11:30", "goodwill_given", item__goodwill="5.00", item__goodwill_words="un bon de 5 livres"),
    ],
    # Late at the customer's door, but found
    "order-2009": [
        placed("10 16:45", "amy", "18.00", "2 candles", "12 17:00", "16 18:00"),
        paid("10 16:46"),
        ("11 08:00", "house", "stock_reserved", {}),
        ("11 10:00", "house", "order_packed", {}),
        handed("12 17:00", "NW-2009"),
        ("18 12:00", "carrier", "carrier_delivered", {}),
        desk("18 15:00", "goodwill_given", item__goodwill="3.00", item__goodwill_words="a voucher for 3 pounds"),
    ],
    # Arrives broken: our problem, and a new one goes out
    "order-2010": [
        placed("11 09:00", "eve", "41.00", "1 vase", "13 15:00", "17 18:00"),
        paid("11 09:01"),
        ("11 11:00", "house", "stock_reserved", {}),
        ("11 15:00", "house", "order_packed", {}),
        handed("12 16:00", "NW-2010"),
        ("16 10:00", "carrier", "carrier_delivered", {}),
        customer("16 14:10", "problem_reported", complaint__about="The vase is broken."),
        desk("16 15:00", "problem_understood", item__problem="damaged"),
        desk("16 15:30", "put_right_agreed"),
        customer("16 18:20", "replacement_wanted", item__in_stock=True),
        desk(
            "17 11:00",
            "replacement_sent",
            order__carrier="Northway",
            order__tracking_number="NW-2099",
            order__tracking_link="https://carrier.example/NW-2099",
        ),
        desk("17 11:30", "goodwill_given", item__goodwill="4.00", item__goodwill_words="a voucher for 4 pounds"),
    ],
    # E-mails
    "mail-201": [
        wrote("02 10:00", "amy", "order_status"),
        desk("02 10:20", "agent_assigned"),
        desk("02 11:00", "reply_sent"),
    ],
    "mail-202": [wrote("02 16:10", "claire", "product"), desk("03 09:50", "reply_sent")],
    "mail-203": [wrote("03 13:45", "finn", "returns"), desk("03 13:50", "faq_answer_sent")],
    # Gold, on a Friday afternoon, and late on Monday
    "mail-204": [wrote("06 15:30", "ben", "delivery"), desk("09 10:00", "reply_sent")],
    # The promise itself is broken
    "mail-205": [
        wrote("10 10:00", "eve", "payment"),
        desk("12 15:00", "reply_sent", inquiry__delay_reason="two people ill"),
    ],
    # We ask, the customer answers after a night
    "mail-206": [
        wrote("10 16:00", "didier", "product"),
        desk("10 16:10", "agent_assigned"),
        desk("10 16:30", "more_info_asked"),
        customer("11 10:00", "customer_wrote"),
        desk("11 12:30", "reply_sent"),
    ],
    # We ask, and hear nothing
    "mail-207": [wrote("11 09:30", "gwen", "account"), desk("11 10:00", "more_info_asked")],
    # Exactly in time, and written to again
    "mail-208": [
        wrote("12 14:00", "amy", "praise"),
        desk("12 17:00", "reply_sent"),
        customer("13 09:15", "customer_wrote"),
        desk("13 09:40", "reply_sent"),
        # A second answer where none is waited for
        desk("13 09:41", "reply_sent"),
    ],
    # It is a complaint, and keeps its time
    "mail-209": [
        wrote("16 16:00", "claire", "delivery"),
        desk("17 09:30", "complaint_recognised", complaint__about="Deux tasses cassées."),
        desk("17 10:30", "complaint_acknowledged", complaint__remedy_sought="deux nouvelles tasses"),
        assessed("17 11:00", "damaged_item"),
        named("17 11:30", "Fatima"),
        decided("18 15:00", "Les tasses étaient mal emballées", "deux nouvelles tasses", "24.00"),
        desk("18 16:00", "remedy_approved"),
        desk("18 16:30", "response_sent"),
        customer("19 20:00", "offer_accepted"),
        desk("24 09:00", "remedy_done"),
        desk("24 15:00", "need_checked", complaint__need_remains=True),
    ],
    # Complaints
    "complaint-301": [
        complained("03 09:30", "finn", "One cup of six was missing."),
        desk("03 10:00", "complaint_acknowledged", complaint__remedy_sought="the sixth cup"),
        desk("03 11:00", "solved_at_once", complaint__cause="wrong_item", complaint__remedy="the cup went out today"),
        desk("05 14:00", "summary_sent"),
    ],
    # Confirmed late, decided late, with a holding letter
    "complaint-302": [
        complained("02 14:00", "didier", "On ne m'a pas rappelé."),
        desk("03 09:30", "complaint_acknowledged", complaint__remedy_sought="des excuses"),
        assessed("03 11:00", "staff", severity="high"),
        named("03 14:00", "Eli"),
        desk("09 10:00", "progress_told"),
        desk(
            "17 09:30",
            "holding_letter_sent",
            complaint__delay_reason="un collègue était absent",
            complaint__new_date="2026-03-20",
        ),
        decided("19 16:00", "L'appel a été oublié", "nos excuses et un bon de 15 livres", "15.00"),
        desk("20 09:30", "response_sent"),
        customer("21 12:00", "offer_accepted"),
        desk("23 10:00", "remedy_done"),
    ],
    # Appealed, and put right in the end
    "complaint-303": [
        complained("04 10:15", "gwen", "The chair was three days late."),
        desk("04 10:40", "complaint_acknowledged", complaint__remedy_sought="the price of the chair"),
        assessed("04 11:30", "late_delivery"),
        named("04 14:00", "Fatima"),
        decided("06 11:00", "The van broke down", "the shipping cost back", "4.00"),
        desk("06 12:00", "response_sent"),
        customer("08 19:00", "offer_rejected"),
        desk(
            "12 10:00",
            "manager_decided",
            complaint__reasons="The day mattered",
            complaint__remedy="half the price back",
        ),
        customer("13 08:30", "offer_accepted"),
        desk("17 15:00", "remedy_done"),
        desk("18 10:00", "need_checked"),
    ],
    # The third of one cause: a chronic problem
    "complaint-304": [
        complained("18 09:10", "ben", "A plate came broken."),
        desk("18 09:40", "complaint_acknowledged", complaint__remedy_sought="a new plate"),
        assessed("18 10:00", "damaged_item"),
        named("18 10:30", "Eli"),
        desk("18 11:00", "facts_asked"),
        customer("19 09:00", "customer_replied"),
        decided("19 11:00", "It was packed without paper", "a new plate", "9.00"),
        desk("19 14:00", "response_sent"),
        customer("19 15:00", "offer_accepted"),
        desk("23 11:00", "remedy_done"),
        desk("24 10:00", "need_checked"),
    ],
    # The second of that cause
    "complaint-307": [
        complained("12 09:20", "amy", "A bowl came chipped."),
        desk("12 09:50", "complaint_acknowledged", complaint__remedy_sought="a new bowl"),
        assessed("12 10:30", "damaged_item"),
        named("12 11:00", "Fatima"),
        decided("13 10:00", "It was packed without paper", "a new bowl", "12.00"),
        desk("13 11:00", "response_sent"),
        customer("13 18:00", "offer_accepted"),
        desk("17 10:00", "remedy_done"),
        desk("18 10:00", "need_checked"),
    ],
    # Withdrawn
    "complaint-305": [
        complained("23 11:00", "amy", "Charged twice."),
        desk("23 11:30", "complaint_acknowledged", complaint__remedy_sought="one charge back"),
        customer("23 16:00", "complaint_withdrawn"),
    ],
    # About safety: at once
    "complaint-306": [
        complained("24 13:35", "eve", "The lamp sparks."),
        desk("24 13:50", "complaint_acknowledged", complaint__remedy_sought="take it off the market"),
        assessed("24 14:00", "faulty_item", severity="safety"),
        desk("24 14:40", "made_safe"),
        named("24 15:00", "Eli"),
        decided("24 16:00", "A wire is loose in one batch", "the price, and a recall of the batch", "60.00"),
        desk("24 16:30", "remedy_approved"),
        desk("24 17:00", "response_sent"),
    ],
    # What the watch found in complaint-307, mail-209 and complaint-304
    "damaged_item": [
        desk("19 10:00", "same_cause_confirmed"),
        desk("19 10:30", "owner_named", problem__owner="Gus"),
        desk("20 11:00", "cause_found", problem__evidence="Nothing broke that was wrapped in paper"),
        desk(
            "20 14:00",
            "fix_approved",
            problem__fix="Paper around every cup, plate and vase",
            problem__fits_every_shop=True,
        ),
        desk("23 08:00", "fix_live"),
    ],
}
