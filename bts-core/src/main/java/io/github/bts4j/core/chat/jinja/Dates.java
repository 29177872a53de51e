package io.github.bts4j.core.chat.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** {@code datetime.now().strftime(format)} in the C locale. */
final class Dates {
    private Dates() {}

    static String format(String format, LocalDateTime time) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char directive = format.charAt(++i);
            boolean unpadded = directive == '-' && i + 1 < format.length();
            if (unpadded) {
                directive = format.charAt(++i);
            }
            String text = directive(directive, time);
            if (text == null) {
                out.append(unpadded ? "%-" : "%").append(directive);
            } else {
                out.append(unpadded ? text.replaceFirst("^[0 ]+(?=.)", "") : text);
            }
        }
        return out.toString();
    }

    private static String directive(char directive, LocalDateTime time) {
        String pattern = switch (directive) {
            case 'Y', 'G' -> directive == 'Y' ? "yyyy" : null;
            case 'y' -> "yy";
            case 'm' -> "MM";
            case 'd' -> "dd";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'b', 'h' -> "MMM";
            case 'B' -> "MMMM";
            case 'a' -> "EEE";
            case 'A' -> "EEEE";
            case 'j' -> "DDD";
            case 'p' -> "a";
            case 'D', 'x' -> "MM/dd/yy";
            case 'F' -> "yyyy-MM-dd";
            case 'T', 'X' -> "HH:mm:ss";
            case 'R' -> "HH:mm";
            case 'r' -> "hh:mm:ss a";
            default -> null;
        };
        return pattern != null ? DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time) : computed(directive, time);
    }

    private static String computed(char directive, LocalDateTime time) {
        int weekday = time.getDayOfWeek().getValue();
        int day = time.getDayOfYear();
        return switch (directive) {
            case 'f' -> String.format("%06d", time.get(ChronoField.MICRO_OF_SECOND));
            case 'e' -> String.format("%2d", time.getDayOfMonth());
            case 'k' -> String.format("%2d", time.getHour());
            case 'l' -> String.format("%2d", (time.getHour() + 11) % 12 + 1);
            case 'u' -> String.valueOf(weekday);
            case 'w' -> String.valueOf(weekday % 7);
            case 'U' -> String.format("%02d", (day + 6 - weekday % 7) / 7);
            case 'W' -> String.format("%02d", (day + 6 - (weekday + 6) % 7) / 7);
            case 'V' -> String.format("%02d", time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
            case 'G' -> String.valueOf(time.get(IsoFields.WEEK_BASED_YEAR));
            case 'g' -> String.format("%02d", time.get(IsoFields.WEEK_BASED_YEAR) % 100);
            case 'C' -> String.format("%02d", time.getYear() / 100);
            case 'c' -> directive('a', time) + " " + directive('b', time) + " " + computed('e', time) + " " + directive('T', time) + " " + time.getYear();
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'z', 'Z' -> "";
            case '%' -> "%";
            default -> null;
        };
    }
}
