"""Phrases of Vietnamese turns."""

from __future__ import annotations

from typing import Final

PHRASES: Final = {
    "GREETINGS": "xin chào, chào, chào bạn, chào buổi sáng, chào buổi tối, chào anh, chào chị",
    "THANKS": "cảm ơn, cám ơn, xin cảm ơn, cảm ơn bạn, cám ơn bạn, cảm ơn nhiều, cảm ơn rất nhiều, "
    "cảm ơn bạn nhiều, cảm ơn bạn rất nhiều, cám ơn nhiều, cảm ơn vì đã giúp, cảm ơn bạn đã giúp đỡ, "
    "không cảm ơn",
    "CLOSINGS": "tạm biệt, hẹn gặp lại, chúc ngủ ngon, chúc một ngày tốt lành, vậy thôi, thế thôi, hết rồi, "
    "không có gì, xin lỗi, không sao, không sao đâu",
    "ABOUT_YOU": "bạn khỏe không, bạn có khỏe không, bạn là ai, bạn tên gì, tên bạn là gì, bạn làm được gì, "
    "bạn có thể làm gì, bạn có thể giúp tôi không, giúp tôi với, tôi có một câu hỏi, tôi có câu hỏi, "
    "bạn có phải là robot không",
    "PRAISE": "tuyệt vời, tuyệt, tuyệt quá, rất tốt, tốt quá, tốt lắm, hay quá, hay lắm, rất hay, "
    "rất hữu ích, hữu ích, thú vị, thú vị quá, rất thú vị, giỏi quá, đúng rồi, chính xác, "
    "tôi không biết điều đó, tiếc quá, hoàn hảo",
    "ACKNOWLEDGEMENTS": "được rồi, tôi hiểu, tôi hiểu rồi, hiểu rồi, đã hiểu, vâng ạ, rõ rồi, đồng ý, "
    "tất nhiên, vâng, ừ, à, không, rõ",
    "FILLERS": "rất, quá, nhiều, lắm, nhé, ạ, bạn, rồi, và, đã giúp, vì đã giúp đỡ",
    "CONSENT": "có, vâng, vâng ạ, được, được chứ, đồng ý, tất nhiên, tiếp tục đi, làm ơn, ừ",
    "SUMMARY": "tóm tắt, tóm lược, tóm gọn, bản tóm tắt, tổng kết, tổng quan, khái quát, sơ lược",
    "DOCUMENT": "tài liệu, văn bản, bài viết, bài báo, bài, tệp, tập tin, file, báo cáo, trang, trang web, "
    "sách, cuốn sách, thư, bức thư, hợp đồng, nghiên cứu, nội dung, pdf, câu chuyện, đoạn văn bản, tất cả, "
    "toàn bộ",
    "PART": "chương, mục, phần, điều khoản, đoạn, bảng, dòng, bước, hình",
    "SUBJECT": "nói về điều gì, nói về cái gì, nói về gì, nói về vấn đề gì, viết về điều gì, viết về cái gì, "
    "viết về gì, về cái gì, về điều gì, nói gì, đề cập đến điều gì, ý chính, những ý chính, điểm chính, "
    "các điểm chính, nội dung chính, chủ đề chính, chủ đề là gì, thông điệp chính, kết luận chính",
    "WHOLE_TASKS": "dịch, phiên dịch, bản dịch, sửa, kiểm tra, phân tích, giải thích, đọc, viết lại, chỉnh sửa",
    "SHAPE": "ngắn, ngắn gọn, ngắn hơn, dài, chi tiết, đơn giản, câu, từ, dòng, gạch đầu dòng, danh sách, "
    "đoạn, đoạn văn, bảng, tiếng anh, tiếng việt, tiếng đức, tiếng pháp, tiếng trung, toàn bộ, cả, một, hai, "
    "ba, năm, sang",
    "QUESTION_WORDS": "gì, cái gì, điều gì, ai, khi nào, lúc nào, bao giờ, ở đâu, đâu, tại sao, vì sao, sao, "
    "thế nào, như thế nào, bao nhiêu, bao lâu, nào, mấy, năm nào, phải không",
    "DEFINING": "là gì, là ai, nghĩa là gì, có nghĩa là gì, định nghĩa, hoạt động như thế nào",
    "REQUESTS": "làm ơn, xin, hãy, vui lòng, bạn, có thể, giúp, cho, tôi, biết, muốn, hỏi, kể, nói, đưa, "
    "viết, tìm, cho tôi biết, câu hỏi, là, có, được, không, này, giùm, hộ, thì, bị, ở, của",
    "RELATIONS": "của, ở, tại, trong, cho, từ, với, đến, về",
    "ARTICLES": "một, các, những, cái, con",
    "MONTHS": "tháng một, tháng hai, tháng ba, tháng tư, tháng năm, tháng sáu, tháng bảy, tháng tám, "
    "tháng chín, tháng mười",
    "OPENERS": "còn, và, nhưng, vậy, thế, hoặc, thế còn, vậy còn, sau đó, thế thì, vậy thì, ngoài ra",
    "WHAT_ABOUT": "thế còn, vậy còn, còn về, còn ở, còn nếu, nếu, còn năm, thì sao, điều gì xảy ra nếu, về phần",
    "PRONOUNS": "ông ấy, bà ấy, anh ấy, chị ấy, cô ấy, nó, chúng, bọn họ, ở đó, nơi đó, người đó, cái đó, "
    "điều đó, của nó, của họ, loài đó, nơi này",
    "WEAK_PRONOUNS": "đó, đây, kia, này, khác, nữa, cũng, lúc đó, thêm",
    "COMPARING": "khác, nữa, thêm, cũng, hơn, giống",
    "EXPLETIVES": "đó là gì, đây là gì, có đúng không, có phải là",
    "NEW_SUBJECT": "câu hỏi khác, chủ đề khác, câu hỏi mới, chủ đề mới, chuyện khác, nhân tiện, đổi chủ đề",
    "CONTINUE": "tiếp tục, tiếp tục đi, kể thêm, nói thêm, nói thêm đi, thêm, thêm chi tiết, chi tiết hơn, "
    "tại sao, vì sao, như thế nào, ví dụ, cho ví dụ, cho một ví dụ, bạn có chắc không, sau đó thì sao",
    "REWORK": "đơn giản hơn, ngắn hơn, ngắn gọn hơn, lại, nói lại, lặp lại, giải thích lại, giải thích, dịch, "
    "tôi không hiểu, không hiểu, nói cách khác, viết lại, tóm tắt, thành bảng, thành danh sách, "
    "câu trả lời của bạn",
    "SAID": "câu trả lời của bạn, câu trả lời, bạn nói, bạn vừa nói",
    "REWORK_HELPERS": "nói, viết, làm, lại, lần nữa",
}
